"""Classifies an error of Argo CD: a connection problem, or a missing object that waiting does not create. Pure."""

from __future__ import annotations

import re

from stagegate.argocd_app.status import Application

# Words of a broken connection. A policy of the cluster that denies an object may use such words too.
_NO_CONNECTION = re.compile(
    r"connection (refused|reset)|i/o timeout|deadline exceeded|context canceled|no such host|dial tcp|broken pipe"
    r"|TLS handshake|x509:|\btls: |no route to host|network is unreachable|server misbehaving|etcdserver:"
    r"|no endpoints available|unable to handle the request|asked for the client to provide credentials"
    r"|no space left on device",
    re.IGNORECASE,
)
_DENIED = "denied the request"
# Words about credentials and limits, in errors of reading ...
_NO_ACCESS = re.compile(
    r"authentication required|unauthorized|403 Forbidden|access to the resource is denied|repository not found"
    r"|ssh: handshake failed|publickey|Too Many Requests|toomanyrequests|failed to sync cluster",
    re.IGNORECASE,
)
# ... words that may be part of a name, so they do not count in errors about missing objects ...
_PERHAPS = re.compile(r"Unavailable|\b(429|500|502|503|504)\b")
# ... and that of a response that was cut, or of a template that ends too early.
_CUT, _PARSED = re.compile(r"\bEOF\b"), re.compile(r"parse error|template:|yaml:", re.IGNORECASE)
_CONDITIONS = {"comparison-error": ("ComparisonError", "UnknownError"), "invalid-spec": ("InvalidSpecError",)}
# A chart version, a path or a revision that is not where it should be. A registry says so of a manifest in an OCI
# repository, Helm of an index, Argo CD and Git of a tree. Other things that are "not found" (a namespace, a plugin,
# a project, a whole repository) may be created, or be hidden from the credentials.
_NOT_THERE = re.compile(
    r"[\w.-]+/\S+[:@][\w.+-]+: not found\b|manifest[ _]unknown"
    r"|chart \S+ (?:version|matching) .+? not found in |no chart version found for|chart '[^']*' not found in index"
    r"|constraint not found in index|no version for constraint|\.tgz\s*:\s*404 Not Found"
    r"|app path does not exist|app path is not a directory"
    r"|unable to resolve '[^']*' to a commit SHA|couldn't find remote ref|not our ref|did not match any file",
    re.IGNORECASE,
)
# Argo CD repeats an error without trying for up to an hour, until a hard refresh.
_CACHED = "Manifest generation error (cached)"


def blames_connection(reason: str, app: Application) -> bool:
    """Whether the whole message blames a connection; what a person reads of it may be cut."""
    if reason == "operation-failed":
        return bool(_NO_CONNECTION.search(app.operation.message)) and _DENIED not in app.operation.message
    return reason in _CONDITIONS and _is_connection(" ".join(_messages(reason, app)))


def does_not_exist(app: Application) -> bool:
    """Whether Argo CD cannot compare because a chart, path or revision is missing. A hydrator may yet write it."""
    messages = _messages("comparison-error", app)
    missing = bool(messages) and all(
        _NOT_THERE.search(message) and _CACHED not in message for message in messages
    )
    return missing and not app.hydrated and not _is_connection(" ".join(messages))


def needs_hard_refresh(app: Application) -> bool:
    """Whether only a hard refresh shows the current state: the error is cached, or about a missing object."""
    return does_not_exist(app) or any(_CACHED in message for message in _messages("comparison-error", app))


def _messages(reason: str, app: Application) -> tuple[str, ...]:
    return tuple(text for kind, text in app.conditions if kind in _CONDITIONS[reason])


def _is_connection(words: str) -> bool:
    perhaps = _PERHAPS.search(words) and "not found" not in words
    cut = _CUT.search(words) and not _PARSED.search(words)
    return bool(_NO_CONNECTION.search(words) or _NO_ACCESS.search(words) or perhaps or cut)
