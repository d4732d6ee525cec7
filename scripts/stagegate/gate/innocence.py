"""Ends of a wait that look like failures and are not the release's: then there is no verdict. Pure.

A connection of Argo CD to a repository or a cluster that does not stand, or an object that was Degraded before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from stagegate.argocd_app.status import Application
from stagegate.errors import Stop
from stagegate.gate import health
from stagegate.gate.order import Rollout
from stagegate.gate.progress import Progress

# Words of a connection that does not stand, whatever else a message contains. A policy of the cluster that denies
# an object may use such words too.
_NO_CONNECTION = re.compile(
    r"connection (refused|reset)|i/o timeout|deadline exceeded|context canceled|no such host|dial tcp|broken pipe"
    r"|TLS handshake|x509:|\btls: |no route to host|network is unreachable|server misbehaving|etcdserver:"
    r"|no endpoints available|unable to handle the request|asked for the client to provide credentials"
    r"|no space left on device",
    re.IGNORECASE,
)
_DENIED = "denied the request"
# Words of credentials and limits, for what Argo CD reads ...
_NO_ACCESS = re.compile(
    r"authentication required|unauthorized|403 Forbidden|access to the resource is denied|repository not found"
    r"|ssh: handshake failed|publickey|Too Many Requests|toomanyrequests|failed to sync cluster",
    re.IGNORECASE,
)
# ... those that may be part of a name, so not where something is said to be missing ...
_PERHAPS = re.compile(r"Unavailable|\b(429|500|502|503|504)\b")
# ... and that of an answer that was cut, or of a template that ends too early.
_CUT, _PARSED = re.compile(r"\bEOF\b"), re.compile(r"parse error|template:|yaml:", re.IGNORECASE)
_CONDITIONS = {"comparison-error": ("ComparisonError", "UnknownError"), "invalid-spec": ("InvalidSpecError",)}


def demand(found: Rollout, states: Mapping[str, Progress]) -> None:
    """Stop where something else is to blame for the end of a wait than the release."""
    if found.outcome == "ready":
        return
    for state in states.values():
        if state.seen is None or state.judgement.reason != found.reason:
            continue
        if found.reason in (*_CONDITIONS, "operation-failed") and _is_connection(found.reason, state.seen):
            raise Stop(
                "unreachable",
                "Argo CD cannot reach a registry, Git server or cluster that it needs.",
                f"{found.detail}.",
                "Check the registry, Git server or cluster that the message names, and Argo CD's credentials for "
                "it. Then run the gate again.",
            )
        if found.reason == "degraded" and health.was_ill_before(state.seen, state.ill_before):
            raise Stop(
                "unknown-state",
                f"{', '.join(sorted(state.ill_before))} was Degraded before this release came.",
                f"{found.detail}. That says nothing about the release, so there is no verdict.",
                "Heal or remove the object, then run the gate again.",
            )


def _is_connection(reason: str, app: Application) -> bool:
    """Whether the whole message blames a connection; what a person reads of it may be cut."""
    if reason == "operation-failed":
        return bool(_NO_CONNECTION.search(app.operation.message)) and _DENIED not in app.operation.message
    words = " ".join(text for kind, text in app.conditions if kind in _CONDITIONS[reason])
    perhaps = _PERHAPS.search(words) and "not found" not in words
    cut = _CUT.search(words) and not _PARSED.search(words)
    return bool(_NO_CONNECTION.search(words) or _NO_ACCESS.search(words) or perhaps or cut)
