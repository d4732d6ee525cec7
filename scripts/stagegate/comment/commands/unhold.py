"""/unhold: lifts a hold."""

from __future__ import annotations

from stagegate.comment.command import TARGET
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import promotion
from stagegate.policy.permissions import joined

COMMAND = CommandDefinition(
    name="unhold",
    usage="/unhold [app/|all/]environment",
    help="lifts a hold",
    grammar=TARGET,
    # Whoever set a hold may lift it: whether they did is known when the hold is read.
    permission=lambda commands: joined(commands.unhold, commands.hold, commands.rollback),
    effect=promotion("unhold"),
    takes_all=True,
)
