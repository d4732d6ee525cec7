"""From a command to the modes of the promotion: which app it means, and what is asked of the planner."""

from __future__ import annotations

from collections.abc import Sequence

from stagegate.clients import hub
from stagegate.comment import authorise
from stagegate.comment.parse import Command
from stagegate.comment.read import Asked, Scene
from stagegate.errors import Stop
from stagegate.marks import marks
from stagegate.promotion import apps
from stagegate.promotion.apps import App


def meant(found: Sequence[App], command: Command, scene: Scene) -> tuple[App, ...]:
    """The apps a command is about, never none. `all`: every one; without a name the only one, or that of the
    promotion it was written on; `/status` and `/help` without a name mean every one. Stop(bad-input).
    """
    if command.app == marks.ALL or (command.name in ("status", "help") and not command.app):
        return apps.having(found, command.environment)
    if not command.app and scene.pull is not None:
        for app in found:
            if scene.pull.head_ref in authorise.own_branches(app, ""):
                return (app,)
    app = apps.choose(found, command.app)
    if command.environment and command.environment != marks.ALL:
        app.settings.environment(command.environment)
    return (app,)


def inputs(command: Command, asked: Asked) -> dict[str, str]:
    """What promote-pr is given."""
    author = asked.author.login if asked.author else ""
    place = f"{marks.ALL}/{command.environment}" if command.app == marks.ALL else command.environment
    reason = command.reason or f"/{command.name} by {author} in #{asked.number}"
    return {
        "mode": command.name,
        "environment": place,
        "version": command.version,
        "reason": reason,
        "until": command.until,
        "rules": ",".join(command.rules),
    }


def unmoved(pins: hub.Hub, scene: Scene, head: str) -> None:
    """Stop(stale-base) when the promotion that a command is bound to moved since it was read."""
    if not head or scene.pull is None:
        return
    now = pins.pull(scene.pull.number)
    if now is None or now.state != "open" or now.head_sha != head:
        raise Stop(
            "stale-base",
            f"#{scene.pull.number} changed while the command was read.",
            f"The command is bound to the head {head[:12]}.",
            "Look at it again, and write the command again.",
        )
