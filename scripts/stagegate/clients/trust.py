"""Whose evidence counts: who may have written a record, status or mark for it to be believed."""

from __future__ import annotations

from stagegate.clients.hub import ACTIONS_BOT, Hub
from stagegate.errors import Stop
from stagegate.model import Actor
from stagegate.settings import Settings


def accepted(settings: Settings, app: Hub, *others: Hub) -> tuple[Actor, ...]:
    """The App alone under `protected`, else GitHub's own bot and the identities of this run's tokens.

    `app` is the app repository. Stop(bad-settings) when GitHub knows no App of the name the settings trust.
    """
    if settings.trust.level == "advisory":
        return tuple(dict.fromkeys((ACTIONS_BOT, *(hub.viewer() for hub in (app, *others)))))
    name = f"{settings.trust.app}[bot]"
    found = app.account(name)
    if found is None or found.kind != "Bot":
        raise Stop(
            "bad-settings",
            f"GitHub knows no App {settings.trust.app!r}.",
            f"With `trust: protected` only what {name} wrote counts, and no such account was found.",
            "Correct `trust.app`: it is the slug at the end of the App's address.",
        )
    return (found,)
