"""The accepted authors of evidence: accounts whose records, statuses and marks count."""

from __future__ import annotations

from stagegate.clients.hub import ACTIONS_BOT, Hub
from stagegate.errors import Stop
from stagegate.evidence.records import is_accepted
from stagegate.model import Actor
from stagegate.settings import Settings


def accepted(settings: Settings, app: Hub, *others: Hub) -> tuple[Actor, ...]:
    """The App alone under `protected`, else GitHub's own bot and the identities of this run's tokens.

    `app` is the app repository. Stop(bad-settings) when GitHub knows no App of the name the settings trust.
    """
    if settings.trust.level == "advisory":
        return tuple(dict.fromkeys((ACTIONS_BOT, *(hub.viewer() for hub in (app, *others)))))
    name = f"{settings.trust.app}[bot]"
    account = app.account(name)
    if account is None or account.kind != "Bot":
        raise Stop(
            "bad-settings",
            f"GitHub has no App named {settings.trust.app!r}.",
            f"With `trust: protected` only evidence that {name} wrote counts, but GitHub has no "
            "account of this name.",
            "Correct `trust.app`: it is the slug at the end of the App's address.",
        )
    return (account,)


def demand_writer(writer: Hub, settings: Settings, app: Hub) -> None:
    """Stop(missing-permission) when `writer` would write states that do not count. `app`: the app repository."""
    if settings.trust.level == "advisory":
        return
    own = writer.viewer()
    if not is_accepted(own, accepted(settings, app, writer)):
        raise Stop(
            "missing-permission",
            f"{own.login} is not the GitHub App whose statuses count.",
            f"With `trust: protected` only marks, records and statuses that {settings.trust.app} "
            "wrote count.",
            "Pass `app-id` and `app-key` of that App in this job, from its GitHub Environment.",
        )
