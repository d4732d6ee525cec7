"""Temporary obstacles of a wait: an Argo CD that does not respond, pods that do not start."""

from __future__ import annotations

import msgspec

from stagegate.errors import Stop
from stagegate.gate.order import Order, StuckPod
from stagegate.gate.plan import Waiting
from stagegate.gate.progress import Progress
from stagegate.runner import log

PASSING = (
    "unreachable",
    "server-error",
    "rate-limited",
    "unknown-state",
)  # reasons that may pass by themselves
PATIENCE_FIRST = 20.0  # seconds for a server that has not answered at all
ROLLING = ("progressing", "degraded", "syncing")  # while pods may be unable to start
STUCK_EVERY = 5.0  # seconds between two looks at the pods of an Application that does not get there


def endure(state: Progress, trouble: Stop, order: Order, now: float, patience: float) -> None:
    """Keep trouble that may pass for a while; what a person must cure ends the wait.

    argocd-server answers every error of the Kubernetes API with 403, so one after good looks may pass; so may an
    Application that is made anew.
    """
    if state.trouble is None:
        state.trouble_since = now
    state.trouble = trouble
    missing = bool(order.parent) and trouble.reason in ("missing-permission", "bad-settings")
    may_pass = trouble.reason in PASSING
    gone = trouble.reason in ("missing-permission", "bad-settings")  # 403, or 404 where the project is named
    may_pass = may_pass or (bool(state.document) and gone)
    if not may_pass and not missing:
        raise trouble
    patience = patience if state.document else PATIENCE_FIRST
    if not missing and now - state.trouble_since > patience:
        raise trouble
    state.judgement = Waiting(reason="no-status", detail=trouble.what)
    if not missing:
        state.history = msgspec.structs.replace(state.history, reason="", looks=0)


def ask_pods(state: Progress, order: Order, now: float) -> None:
    """Now and then while workloads roll out: is there a pod that does not start, and why?"""
    if state.history.reason not in ROLLING:
        state.stuck = StuckPod()
    elif now - state.asked_pods >= STUCK_EVERY:
        state.asked_pods = now
        try:
            state.stuck = order.stuck(state.name)
        except Stop as trouble:
            log.debug(trouble.what)
