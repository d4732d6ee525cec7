"""Judges a snapshot of an Application: the first reason that it does not run the release. Pure.

The words are those of `rollout_reasons.REASONS`.
"""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.argocd_app.status import Application
from stagegate.gate import health, sources, synced
from stagegate.gate.expected import Expected
from stagegate.gate.rollout_reasons import Objection

__all__ = ["Expected", "classify"]


def classify(application: Application, expected: Expected) -> Objection:
    """The first reason that applies to this snapshot, and a sentence; `ready` without one."""
    return next(_objections(application, expected), ("ready", _story(application)))


def _objections(app: Application, expected: Expected) -> Iterator[Objection]:
    if app.deleting:
        yield "being-deleted", f"Argo CD is deleting the Application {app.name}"
    yield from sources.asked(app, expected)
    yield from _refused(app)
    if not app.sync or not app.reconciled:
        yield "no-status", f"the Application {app.name} has no status yet"
    if not app.compared_as_specified:
        yield "stale-comparison", "Argo CD still shows the comparison with an earlier spec of the Application"
    yield from sources.compared(app, expected)
    yield from synced.operation(app, expected)
    yield from synced.differences(app, expected)
    yield from health.objections(app, expected)
    if app.refreshing:
        yield "refreshing", "a refresh was requested and has not finished"


def _refused(app: Application) -> Iterator[Objection]:
    for kind, message in app.conditions:
        short = synced.shortened(message)
        if kind == "InvalidSpecError":
            yield "invalid-spec", f"Argo CD refuses the spec of the Application: {short}"
        if kind in ("ComparisonError", "UnknownError"):
            yield "comparison-error", f"Argo CD cannot compare the Application: {short}"


def _story(app: Application) -> str:
    revisions = ", ".join(source.revision[:20] for source in app.sources if source.revision)
    return f"Synced to {revisions} and Healthy" + (f" since {app.health_since}" if app.health_since else "")
