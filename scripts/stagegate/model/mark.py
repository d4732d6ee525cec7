"""A hold, ban or override."""

from __future__ import annotations

from typing import Literal

import msgspec

MarkKind = Literal["hold", "rollback", "ban", "override"]


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """The person who removed a mark, and the time."""

    by: str
    at: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A hold, ban or override, as `mark.json` on its ref. `kind: rollback` is a hold made by a rollback.

    `app`, `environment` and `version` repeat what the ref names, so that a mark counts on no other ref; without
    `app` it has the form that was written before. `previous` is the commit of the mark that it replaced.
    """

    kind: MarkKind
    app: str = ""
    environment: str = ""
    version: str = ""
    owner: str
    reason: str
    since: str
    until: str = ""
    rules: tuple[str, ...] = ()
    to: str = ""
    previous: str = ""
    removed: Removed | None = None
