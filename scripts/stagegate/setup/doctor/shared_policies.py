"""Reads the shared policies of other repositories that settings extend, for doctor."""

from __future__ import annotations

import msgspec

from stagegate import settings as settings_file
from stagegate.clients.hub import Hub
from stagegate.errors import Stop
from stagegate.pins import files as pin_files
from stagegate.promotion import shared_policy
from stagegate.settings import shared_policy as policies
from stagegate.setup.doctor.facts import ConfiguredApp, DoctorFacts

_UNKNOWN = frozenset({"unreachable", "rate-limited", "server-error", "timeout", "token-expired"})


def read(facts: DoctorFacts, hub: Hub | None, why_not: str = "") -> DoctorFacts:
    """The same facts with the settings of apps whose policy is shared by another repository.

    Without `hub` they stay unread, because of `why_not`. A policy that cannot be read is the app's trouble.
    """
    if not any(app.unread for app in facts.apps):
        return facts
    apps = tuple(_app(facts, app, hub, why_not) if app.unread else app for app in facts.apps)
    return msgspec.structs.replace(facts, apps=apps)


def _app(facts: DoctorFacts, app: ConfiguredApp, hub: Hub | None, why_not: str) -> ConfiguredApp:
    if hub is None:
        return msgspec.structs.replace(app, why=why_not)
    content = facts.tree.file(app.config) or b""
    try:
        shared = shared_policy.read(hub, "", app.unread)
        settings = settings_file.extended(content, app.config, shared)
        expanded = pin_files.expanded(settings, facts.tree.entries, app.config, content)
        repository, _ = policies.address(app.unread)
        closed = repository if hub.beside(repository).settings().private else ""
    except Stop as stop:
        cause = stop.__cause__
        why = f"{stop.what} {stop.why}"
        if isinstance(cause, Stop) and cause.reason in _UNKNOWN:
            return msgspec.structs.replace(app, why=why)
        return ConfiguredApp(config=app.config, trouble=why, line=stop.line or 0)
    return ConfiguredApp(config=app.config, settings=expanded, closed=closed)
