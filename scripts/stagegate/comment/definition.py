"""What a comment command is: one value with everything about it, defined in `comment/commands/<name>.py`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from stagegate.comment.execute import Effect
from stagegate.settings import Commands
from stagegate.settings.app import Allowed


class CommandDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A comment command.

    `usage` is its spelling, `help` what it does, both for people. `grammar` is the regular expression of the words
    after its name. `permission` is who may give it by the settings; None for a command that only reads.
    `permission_for_own`: who may besides, about what they set themselves; whose it is, is known when it is read.
    `effect` carries it out. `takes_all`: `all` may stand for every app; `means_every_app`: so does no app at all.
    `takes_reason` and `takes_duration` (` for 2h` at its end) are about the last words.
    """

    name: str
    usage: str
    help: str
    grammar: str
    permission: Callable[[Commands], Allowed] | None
    effect: Effect
    permission_for_own: Callable[[Commands], Allowed] | None = None
    takes_all: bool = False
    means_every_app: bool = False
    takes_reason: bool = False
    takes_duration: bool = False

    @property
    def only_reads(self) -> bool:
        """Whether the command changes nothing."""
        return self.permission is None
