"""What record knows of a version, as a value."""

from __future__ import annotations

import msgspec

from stagegate.evidence.release_record import ForeignRecord


class ForeignRelease(msgspec.Struct, frozen=True, kw_only=True):
    """What would be recorded, and what is. `existing` None: nothing; `finished`: its status says so."""

    record: ForeignRecord
    tag: str
    existing: ForeignRecord | None = None
    in_chart: bool = False
    number: int = 0
    finished: bool = False
