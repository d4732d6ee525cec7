"""/ban: keeps a version out of every environment."""

from __future__ import annotations

from stagegate.comment.command import BANNED, REASON, VERSION
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import promotion

COMMAND = CommandDefinition(
    name="ban",
    usage="/ban [app@]version reason",
    help="keeps a version out of every environment, and closes its open promotions",
    grammar=rf"{BANNED}{VERSION} {REASON}",
    permission=lambda commands: commands.ban,
    effect=promotion("ban"),
    takes_reason=True,
)
