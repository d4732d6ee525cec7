"""/unban: lifts a ban."""

from __future__ import annotations

from stagegate.comment.command import BANNED, VERSION
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import promotion

COMMAND = CommandDefinition(
    name="unban",
    usage="/unban [app@]version",
    help="ends a ban",
    grammar=rf"{BANNED}{VERSION}",
    permission=lambda commands: commands.unban,
    effect=promotion("unban"),
)
