"""/status: shows where every release is."""

from __future__ import annotations

from stagegate.comment.command import TARGET
from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import show_status

COMMAND = CommandDefinition(
    name="status",
    usage="/status [[app/]environment]",
    help="shows the release of every environment, waiting releases, and the next step",
    grammar=rf"(?:{TARGET})?",
    permission=None,
    effect=show_status,
    means_every_app=True,
)
