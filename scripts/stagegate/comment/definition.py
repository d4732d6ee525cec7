"""The type of comment commands. `comment/commands/<name>.py` defines each command as one value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from stagegate.comment.answer import CommandAnswer
from stagegate.comment.command import Command
from stagegate.comment.event import CommentEvent
from stagegate.promotion.apps import App
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs
from stagegate.settings import Commands
from stagegate.settings.app import Allowed


@dataclass(frozen=True)
class CommandOrder:
    """A command that is authorised: the apps it is about, who gave it where, and with which tokens it runs.

    `definitions`: every command there is, which `/help` lists.
    """

    command: Command
    event: CommentEvent
    apps: Sequence[App]
    inputs: PinsInputs
    context: Context
    now: datetime
    verify_workflow: str
    definitions: Sequence[CommandDefinition]


Effect = Callable[[CommandOrder, CommandAnswer], CommandAnswer]


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
