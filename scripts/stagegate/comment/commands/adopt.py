"""/adopt: records a change that was made by hand."""

from __future__ import annotations

from stagegate.comment.command import REASON, TARGET
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import adopt

COMMAND = CommandDefinition(
    name="adopt",
    usage="/adopt [app/]environment reason",
    help="records the release that an environment's pins name after a manual change, with you as the "
    "responsible person",
    grammar=rf"{TARGET} {REASON}",
    permission=lambda commands: commands.adopt,
    effect=adopt,
    takes_reason=True,
)
