"""Files of the pins repository at one commit."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class PinsTree(msgspec.Struct, frozen=True, kw_only=True):
    """Files of the pins repository: those read already, and the commit where others are."""

    contents: Mapping[str, bytes | None]
    at: str
