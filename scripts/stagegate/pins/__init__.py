"""Pins: which places of a file name the release an environment runs, and how they move to another one.

One shape is one file in `shapes`. Every place of a pin moves together, or none does.
"""

from __future__ import annotations

from stagegate.pins.chart_lock import companion, mislocked, relock
from stagegate.pins.edit import digest_of, edit, way_out
from stagegate.pins.named_release import range_of, running, version_of
from stagegate.pins.parse import read
from stagegate.pins.place import PinFile, PinPlace, together
from stagegate.pins.remainder import besides

__all__ = [
    "PinFile",
    "PinPlace",
    "besides",
    "companion",
    "digest_of",
    "edit",
    "mislocked",
    "range_of",
    "read",
    "relock",
    "running",
    "together",
    "version_of",
    "way_out",
]
