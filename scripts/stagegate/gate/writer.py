"""The account that writes the gate's state: the accepted App under `protected`, else the job's token."""

from __future__ import annotations

from stagegate.clients import hub, job_permissions
from stagegate.clients.hub import Hub, from_context, installation_token
from stagegate.errors import Stop
from stagegate.evidence import records
from stagegate.gate.facts import Facts
from stagegate.gate.request import GateRequest
from stagegate.runner.context import Context


def open_writer(
    request: GateRequest, facts: Facts, app: Hub, context: Context, *, again: bool = False
) -> Hub:
    """The hub that writes. An App's token lasts an hour, so `again` makes a new one after a long wait.

    Stop(missing-permission) when the given App is not the one whose evidence counts.
    """
    if facts.trust == "advisory":
        return app if not again else _still_valid(app, request, context)
    token = _made(app, request, context)
    writer = from_context(context, token, app.repository)
    if not records.is_accepted(writer.viewer(), facts.accepted):
        raise Stop(
            "missing-permission",
            f"{writer.viewer().login} is not the App whose evidence counts.",
            f"The settings trust only the GitHub App {facts.settings.trust.app!r}.",
            "Pass app-id and app-key of that App, or correct `trust.app`.",
        )
    return writer


def _made(app: Hub, request: GateRequest, context: Context) -> str:
    where = (context.api_url, app.repository, request.app_id, request.app_key)
    return installation_token(*where, job_permissions.VERDICT)


def _still_valid(app: Hub, request: GateRequest, context: Context) -> Hub:
    """The same hub; where its token expired in a long wait and an App's key is given, one with a new token.

    Only when the new token is the same being as the old one: another's records might not count.
    """
    if not (request.app_id and request.app_key):
        return app
    before = app.viewer()
    try:
        hub.forget()
        app.head(app.default_branch())
    except Stop as stop:
        if stop.reason != "token-expired":
            return app  # the write itself says what is wrong
        token = _made(app, request, context)
        fresh = from_context(context, token, app.repository)
        return fresh if fresh.viewer().same(before) else app
    return app
