"""Pins: which places of a file name the release an environment runs, and how they move to another one.

One shape is one file in this package. Every place of a pin moves together, or none does.
"""

from __future__ import annotations

from stagegate.promotion.pins.moving import digest_of, edit, range_of, running, version_of
from stagegate.promotion.pins.place import PinFile, PinPlace
from stagegate.promotion.pins.reading import read
from stagegate.promotion.pins.remainder import besides
from stagegate.promotion.pins.umbrella_lock import companion, mislocked, relock

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
    "version_of",
]
