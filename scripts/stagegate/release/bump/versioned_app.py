"""An app whose version a run decides."""

from __future__ import annotations

import msgspec

from stagegate.settings import Settings


class VersionedApp(msgspec.Struct, frozen=True, kw_only=True):
    """An app and the path of its settings file."""

    settings: Settings
    config: str
