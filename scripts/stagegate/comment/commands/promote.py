"""/promote: proposes or commits a release."""

from __future__ import annotations

from stagegate.comment.command import TARGET, VERSION
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import promotion

COMMAND = CommandDefinition(
    name="promote",
    usage="/promote [app/]environment [version]",
    help="proposes or commits a release",
    grammar=rf"{TARGET}(?: {VERSION})?",
    permission=lambda commands: commands.promote,
    effect=promotion("promote"),
)
