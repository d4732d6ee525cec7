"""Keeps the state of each Application while the gate waits, and prints progress lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stagegate.argocd_app.status import Application
from stagegate.errors import Stop
from stagegate.gate.order import StuckPod
from stagegate.gate.plan import History, Judgement, Waiting
from stagegate.runner import log

Json = dict[str, Any]
NEWS_EVERY = 30.0  # seconds between progress lines when nothing changes


@dataclass
class Progress:
    """The state of one Application so far."""

    name: str
    history: History = field(default_factory=History)
    judgement: Judgement = field(default_factory=lambda: Waiting(reason="no-status", detail="not seen yet"))
    seen: Application | None = None
    document: Json = field(default_factory=dict)
    sync_window: str = ""
    polled: float = float("-inf")
    asked_window: float = float("-inf")
    trouble: Stop | None = None
    trouble_since: float = 0.0
    compared_anew: bool = False  # a refresh has finished while the spec requested the release
    asked_refresh: float = float("-inf")
    asked_hard: float = float("-inf")
    stuck: StuckPod = field(default_factory=StuckPod)
    asked_pods: float = float("-inf")
    asked_for: str = ""  # the version that the spec requests instead of the release, in words
    ill_before: frozenset[str] = frozenset()  # objects that were Degraded before the release was deployed
    set_interval: float | None = None  # seconds between two reads of Git by its ApplicationSet


class Teller:
    """Prints the state of the wait when it changes, and regularly otherwise."""

    def __init__(self, timeout: float, began: float) -> None:
        self._timeout, self._began = timeout, began
        self._told: dict[str, str] = {}
        self._when = began

    def tell(self, states: Mapping[str, Progress], now: float) -> None:
        """Print each changed state, and after a while also an unchanged one."""
        for state in states.values():
            judgement = state.judgement
            is_told = self._told.get(state.name) == judgement.reason
            if is_told and now - self._when < NEWS_EVERY:
                continue
            self._told[state.name], self._when = judgement.reason, now
            waited, since = now - self._began, now - state.history.since if state.history.reason else 0
            lasting = f", for {since:.0f} s" if is_told and since else ""
            log.say(
                f"[{waited:4.0f} s of {self._timeout:.0f}] {state.name}: "
                f"{judgement.reason}{lasting}: {judgement.detail}"
            )
