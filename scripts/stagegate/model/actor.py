"""An account of GitHub."""

from __future__ import annotations

from typing import Literal

import msgspec


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """An account on GitHub. Compared by kind and database id, because logins can be imitated."""

    kind: Literal["User", "Bot", "Organization", "Mannequin", "EnterpriseUserAccount"]
    id: int
    login: str = ""

    def same(self, other: Actor | None) -> bool:
        """True when both are the same account, for any spelling of the login."""
        return other is not None and (self.kind, self.id) == (other.kind, other.id)
