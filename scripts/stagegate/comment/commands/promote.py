"""/promote: proposes or commits a release."""

from __future__ import annotations

from stagegate.comment.command import TARGET, VERSION
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import promotion

COMMAND = CommandDefinition(
    name="promote",
    usage="/promote [app/]environment [version]",
    help="proposes the newest release that the rules allow, or the given version; all rules apply",
    grammar=rf"{TARGET}(?: {VERSION})?",
    permission=lambda commands: commands.promote,
    effect=promotion("promote"),
)
