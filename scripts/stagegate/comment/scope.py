"""The apps of a command, and whether the promotion that it is bound to is unchanged."""

from __future__ import annotations

from collections.abc import Sequence

from stagegate.clients import hub
from stagegate.comment import authorise
from stagegate.comment.command import Command
from stagegate.comment.commands import COMMANDS
from stagegate.comment.read import Thread
from stagegate.errors import Stop
from stagegate.marks import marks
from stagegate.promotion import apps
from stagegate.promotion.apps import App


def select(every_app: Sequence[App], command: Command, thread: Thread) -> tuple[App, ...]:
    """The apps a command is about, never none. `all`: every one; without a name the only one, or that of the
    promotion it was written on; `/status` and `/help` without a name mean every one. Stop(bad-input).
    """
    if command.app == marks.ALL or (COMMANDS[command.name].means_every_app and not command.app):
        return apps.having(every_app, command.environment)
    if not command.app and thread.pull is not None:
        for app in every_app:
            if thread.pull.head_ref in authorise.own_branches(app, ""):
                return (app,)
    app = apps.choose(every_app, command.app)
    if command.environment and command.environment != marks.ALL:
        app.settings.environment(command.environment)
    return (app,)


def demand_same_head(pins: hub.Hub, thread: Thread, head: str) -> None:
    """Stop(stale-base) when the promotion that a command is bound to moved since it was read."""
    if not head or thread.pull is None:
        return
    now = pins.pull(thread.pull.number)
    if now is None or now.state != "open" or now.head_sha != head:
        raise Stop(
            "stale-base",
            f"#{thread.pull.number} changed while the command was carried out.",
            f"The command is only valid for the head {head[:12]}.",
            "Review the new commits, and write the command again.",
        )
