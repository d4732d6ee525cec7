"""The reply to a comment command, as a value."""

from __future__ import annotations

import msgspec

from stagegate.comment.command import Command
from stagegate.errors import VERDICTS
from stagegate.model import Result
from stagegate.report.status import AppStatus


class HelpLine(msgspec.Struct, frozen=True, kw_only=True):
    """A command as `/help` shows it: its spelling, what it does, and the permission it takes."""

    usage: str
    help: str
    permission: str


class CommandAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a command. `command` None: it was not understood; `result` None: it is being carried out.

    `apps` at the time `at`: what `/status` shows; `help`: the lines of `/help`.
    """

    comment: int
    author: str
    run_url: str
    command: Command | None = None
    result: Result | None = None
    apps: tuple[AppStatus, ...] = ()
    at: str = ""
    help: tuple[HelpLine, ...] = ()
    head: str = ""

    @property
    def is_final(self) -> bool:
        """Whether the command is settled. After a service failed, the run may be repeated."""
        return self.result is not None and VERDICTS[self.result.reason].exit_code in (0, 1, 4)
