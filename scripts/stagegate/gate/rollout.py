"""Waits until every Application of an environment runs the release, or until that is certain to fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import msgspec

from stagegate.argocd_app import status as documents
from stagegate.errors import Stop
from stagegate.gate import application_sets, ending, error_words, health, no_verdict, trouble
from stagegate.gate.expected import Commit, Expected
from stagegate.gate.following import Followers, Following, Source, older
from stagegate.gate.order import Commits, Order, Rollout
from stagegate.gate.pin import Pin
from stagegate.gate.plan import Ready, Superseded, Waiting, endured, judge, remember
from stagegate.gate.progress import Progress, Teller
from stagegate.gate.sources import is_ours
from stagegate.gate.windows import shut_window
from stagegate.runner import log

__all__ = ["Commits", "Order", "Rollout", "wait", "wants_refresh"]
Json = dict[str, Any]
POLL = 0.5  # seconds between looks without a stream
POLL_STREAMING = 2.0  # and with one, in case it no longer sends events
ERROR_REFRESH = 5.0  # seconds between refreshes while an error lasts: Argo CD does not retry by itself
HARD_AFTER = 25.0  # seconds before a hard refresh is requested: a replica of a registry or Git server may lag
HARD_EVERY = 30.0  # seconds between two hard refreshes, which may be lost


def wait(
    source: Source,
    expected: Expected,
    order: Order,
    *,
    clock: Callable[[], float] = time.monotonic,
    following: Following | None = None,
) -> Rollout:
    """Follow the Applications until a verdict. Stop when a person must act, or Argo CD is unreachable."""
    began = last = clock()
    paused = 0.0
    states = {name: Progress(name=name) for name in order.names}
    parents: dict[str, str] = {}  # the parents of the Applications that apply pins
    commits: Commits = {}
    news = following or Followers(source)
    pin = Pin(expected.version, order.pinned)
    teller = Teller(order.timeout, began)
    try:
        while True:
            for state in states.values():
                _poll(source, state, expected, commits, order, clock, news.streams)
            news.begin(order.names, order.parent)
            teller.tell(states, clock())
            now = clock()
            paused += now - last if any(s.judgement.reason == "canary" for s in states.values()) else 0.0
            last = now
            ended = ending.overdue_canary(states, expected, now - began, paused) or ending.verdict(
                states, order, now - began, paused
            )
            asked_namespaces = [s.asked_for for s in states.values() if s.asked_for]
            last_word = ended is not None and ended.outcome != "ready"
            if (asked_namespaces or last_word) and pin.moved(clock(), asked_namespaces, final=last_word):
                newer = Superseded(detail=f"the pin in Git now names {pin.version}")
                return ending.ended("superseded", newer, states, clock() - began, paused)
            if ended:
                no_verdict.demand(ended, states)
                return ended
            news.follow_parents(_parents(states, order, parents))
            for state in states.values():
                if wants_refresh(state, expected, clock()):
                    hard = _wants_hard_refresh(state, clock())
                    news.ask(state.name, hard=hard)
                    state.asked_refresh = clock()
                    state.asked_hard = clock() if hard else state.asked_hard
            _drain(news, states, parents, expected, commits, order, clock)
    finally:
        news.stop()


def _parents(states: dict[str, Progress], order: Order, parents: dict[str, str]) -> set[str]:
    """The Applications that apply the pins, and their parents, for as long as a pin is not applied."""
    late = [s for s in states.values() if s.judgement.reason in ("pin-not-applied", "wrong-source")]
    applications: set[str] = set()
    names = {s.seen.parent for s in late if s.seen}
    while names := names - applications - {""}:
        applications |= names
        names = {parents.get(name, "") for name in names}
    return applications - {order.parent, *states}


def wants_refresh(state: Progress, expected: Expected, now: float) -> bool:
    """Whether Argo CD must refresh: its state must be newer than the last one, or an error persists."""
    if state.judgement.reason == "settling":
        return now - state.history.since >= expected.settle
    limit = endured(state.judgement.reason, state.seen, expected) if state.seen else None
    return limit is not None and now - state.asked_refresh >= ERROR_REFRESH


def _wants_hard_refresh(state: Progress, now: float) -> bool:
    """Whether only a hard refresh can tell a real error from one that Argo CD has cached."""
    due = now - state.history.since >= HARD_AFTER and now - state.asked_hard >= HARD_EVERY
    failing = state.history.reason == "comparison-error"
    return failing and due and state.seen is not None and error_words.needs_hard_refresh(state.seen)


def _poll(
    source: Source,
    state: Progress,
    expected: Expected,
    commits: Commits,
    order: Order,
    clock: Callable[[], float],
    streaming: bool,
) -> None:
    """Read one Application when it is time; only such a read, never an event, can make it ready."""
    good = state.history.reason == "ready"
    if clock() - state.polled < (POLL if good or not streaming or state.trouble else POLL_STREAMING):
        return
    try:
        document = source.application(state.name)
        state.trouble = None
    except Stop as stop:
        state.polled = clock()
        trouble.endure(state, stop, order, clock(), expected.patience)
        return
    state.polled = clock()
    _ask_windows(source, state, clock())
    trouble.ask_pods(state, order, clock())
    _look(state, document, expected, commits, order, clock(), refreshed=False)
    application_sets.ask(source, state)
    if isinstance(state.judgement, Ready) and not state.compared_anew:
        state.judgement = Waiting(reason="settling", detail="no refresh has finished since the pin changed")
    if isinstance(state.judgement, Ready):
        try:
            pods = order.pods(state.name)
            state.judgement = state.judgement if isinstance(pods, Ready) else pods
        except Stop as stop:
            trouble.endure(state, stop, order, clock(), expected.patience)


def _ask_windows(source: Source, state: Progress, now: float) -> None:
    """Once a minute while nothing syncs: is it a window that forbids it? Whoever may not ask is not told."""
    waits = state.history.reason in ("out-of-sync", "sync-window") and now - state.history.since > 2
    if not waits or now - state.asked_window < 60:
        return
    state.asked_window = now
    try:
        state.sync_window = shut_window(source.sync_windows(state.name), datetime.now(timezone.utc))
    except Stop as stop:
        log.debug(stop.what)


def _look(
    state: Progress,
    document: Json,
    expected: Expected,
    commits: Commits,
    order: Order,
    now: float,
    *,
    refreshed: bool,
    hard: bool = False,
) -> None:
    """Judge one document and add it to the history."""
    application = documents.read(document)
    revisions: dict[str, Commit] = {}
    for source in application.sources:
        if source.is_git and source.revision and is_ours(source, expected):
            if (state.name, source.key) not in commits:
                commits[state.name, source.key] = order.commit(source, application)
            revisions[source.key] = commits[state.name, source.key]
    current = msgspec.structs.replace(
        expected,
        commits=revisions,
        sync_window=state.sync_window,
        named=order.named(document),
        cannot_start=state.stuck.text if state.stuck.for_good else "",
    )
    state.judgement = judge(application, current, state.history, now)
    state.history = remember(state.history, application, current, now, refreshed=refreshed, hard=hard)
    state.seen, state.document = application, document
    state.ill_before = health.ill_before(state.ill_before, application, state.judgement.reason)
    state.asked_for = state.judgement.detail if state.judgement.reason == "pin-not-applied" else ""
    _add(state, state.stuck.text if state.judgement.reason in trouble.ROLLING else "")
    _add(state, application_sets.told(state, now))
    if state.history.reason == "pin-not-applied":
        state.compared_anew = False
    elif refreshed:
        state.compared_anew = True


def _add(state: Progress, more: str) -> None:
    """Add to the progress text of an Application."""
    if more and more not in state.judgement.detail:
        detail = f"{state.judgement.detail}; {more}"
        state.judgement = msgspec.structs.replace(state.judgement, detail=detail)


def _drain(
    news: Following,
    states: dict[str, Progress],
    parents: dict[str, str],
    expected: Expected,
    commits: Commits,
    order: Order,
    clock: Callable[[], float],
) -> None:
    """Wait for an event, or until the next look is due. An event can fail an Application, or hint at ready."""
    lag = min(POLL if not news.streams or s.history.reason == "ready" else 1.0 for s in states.values())
    event = news.next(lag)
    if event is not None and event.name not in states:
        parents[event.name] = documents.read(event.document).parent
        return
    if event is None or older(event.document, states[event.name].document):
        return
    state = states[event.name]
    refreshed, hard = event.refreshed, event.hard
    _look(state, event.document, expected, commits, order, clock(), refreshed=refreshed, hard=hard)
    if isinstance(state.judgement, Ready) or state.judgement.reason == "settling":
        state.judgement = Waiting(reason="settling", detail=state.judgement.detail)
        state.polled = min(state.polled, clock() - POLL_STREAMING)
