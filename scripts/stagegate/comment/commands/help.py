"""/help: lists the commands."""

from __future__ import annotations

from stagegate.comment.definition import CommandDefinition
from stagegate.comment.execute import show_help

COMMAND = CommandDefinition(
    name="help",
    usage="/help",
    help="lists the commands",
    grammar="",
    permission=None,
    effect=show_help,
    means_every_app=True,
)
