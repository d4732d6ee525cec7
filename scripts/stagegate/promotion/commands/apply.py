"""From a command to the modes of the promotion: which app it means, and what is asked of the planner."""

from __future__ import annotations

from collections.abc import Sequence

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.promotion import apps, marks
from stagegate.promotion.apps import App
from stagegate.promotion.commands import authorisation
from stagegate.promotion.commands.facts import Asked, Scene
from stagegate.promotion.commands.grammar import Command


def meant(found: Sequence[App], command: Command, scene: Scene) -> tuple[App, ...]:
    """The apps a command is about, never none. `all`: every one; without a name the only one, or that of the
    promotion it was written on; `/status` and `/help` without a name mean every one. Stop(bad-input).
    """
    if command.app == marks.ALL or (command.name in ("status", "help") and not command.app):
        if command.environment and command.app == marks.ALL:
            return _with(found, command.environment)
        if command.name == "status" and command.environment:
            return _with(found, command.environment)
        return tuple(found)
    if not command.app and scene.pull is not None:
        for app in found:
            if scene.pull.head_ref in authorisation.own_branches(app, ""):
                return (app,)
    app = apps.choose(found, command.app)
    if command.environment and command.environment != marks.ALL:
        app.settings.environment(command.environment)
    return (app,)


def inputs(command: Command, app: App, asked: Asked, *, first: bool) -> dict[str, str]:
    """What promote-pr is given for one app. After `all` was marked once, other apps are only judged again."""
    every = command.app == marks.ALL
    if every and not first:
        return {"config": app.config, "mode": "evaluate", "environment": command.environment}
    author = asked.author.login if asked.author else ""
    place = f"{marks.ALL}/{command.environment}" if every else command.environment
    reason = command.reason or f"/{command.name} by {author} in #{asked.number}"
    return {
        "config": app.config,
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


def _with(found: Sequence[App], environment: str) -> tuple[App, ...]:
    """Apps that have this environment. Stop(bad-input) when none has."""
    if environment == marks.ALL:
        return tuple(found)
    having = tuple(app for app in found if environment in {place.name for place in app.settings.environments})
    return having or (_none(found, environment),)


def _none(found: Sequence[App], environment: str) -> App:
    found[0].settings.environment(environment)
    raise AssertionError("settings without the environment stop")
