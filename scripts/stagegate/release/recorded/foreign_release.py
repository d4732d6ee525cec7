"""The facts of record about a version, as a value."""

from __future__ import annotations

import msgspec

from stagegate.evidence.release_record import ForeignRecord


class ForeignRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The record to write, and the existing one (None: none). `finished`: the existing record has its status.

    `in_chart`: the chart contains the record. `number` is the deployment of the record (0: none).
    """

    record: ForeignRecord
    tag: str
    existing: ForeignRecord | None = None
    in_chart: bool = False
    number: int = 0
    finished: bool = False
