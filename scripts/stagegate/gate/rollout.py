"""Wait until every Application of an environment runs the release, or until it is sure that none will."""

from __future__ import annotations

import queue
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from stagegate.argocd_app import status as documents
from stagegate.errors import Stop
from stagegate.gate.following import Follower, Source
from stagegate.gate.look import Commit, Expected, is_ours
from stagegate.gate.pin import Pin
from stagegate.gate.plan import Failed, Judgement, Ready, Superseded, Waiting, endured, judge, remember
from stagegate.gate.progress import Progress, Teller
from stagegate.gate.windows import window_is_shut
from stagegate.model import ApplicationSeen
from stagegate.runner import log

Json = dict[str, Any]
POLL = 0.5  # seconds between looks without a stream
POLL_STREAMING = 2.0  # and with one, in case it has gone silent
PATIENCE_FIRST = 20.0  # and before it has answered at all
ERROR_REFRESH = 5.0  # seconds between refreshes while an error stands: Argo CD does not look again by itself
UNREACHABLE = re.compile(
    r"connection refused|i/o timeout|deadline exceeded|Unavailable|no such host"
    r"|Too Many Requests|\b(429|502|503|504)\b"
)
PASSING = ("unreachable", "server-error", "rate-limited", "unknown-state")


Commits = dict[tuple[str, str], Commit]  # by Application and source, because each source shows other files


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """How the wait ended. `reason` is a word of plan.REASONS; `documents` are the last ones seen, raw.

    When enough Applications are ready, `seen` and `documents` are theirs alone: the checks look at no others.
    """

    outcome: Literal["ready", "failed", "superseded", "timeout"]
    reason: str
    detail: str
    seen: tuple[ApplicationSeen, ...]
    documents: tuple[Json, ...] = ()
    seconds: float = 0.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to wait for: Applications by name, how many of them must be ready (0: all), for how many seconds.

    `commit` says what a Git source's revision holds; `pods` returns a judgement on the pods of an Application
    that looks ready; `pinned` reads the version that the pin in Git names now (empty: not known);
    `parent` is the app-of-apps that applies the pins: it is refreshed while they are not applied,
    and may still create a missing Application; `named` is the version that an Application's own spec names.
    """

    environment: str
    names: tuple[str, ...]
    minimum: int = 0
    timeout: float
    commit: Callable[[documents.SourceSeen, documents.Application], Commit]
    pods: Callable[[str], Judgement]
    parent: str = ""
    named: Callable[[Json], str] = lambda _: ""
    pinned: Callable[[], str] = lambda: ""


def wait(
    source: Source, expected: Expected, order: Order, *, clock: Callable[[], float] = time.monotonic
) -> Rollout:
    """Follow the Applications until a verdict. Stop for what a person must cure, or when Argo CD is away."""
    began = clock()
    events: queue.Queue[tuple[str, Json, bool]] = queue.Queue()
    states = {name: Progress(name=name) for name in order.names}
    followers: list[Follower] = []
    commits: Commits = {}
    parents: dict[str, Follower] = {}
    pin = Pin(expected.version, order.pinned)
    teller = Teller(order.timeout, began)
    try:
        while True:
            for state in states.values():
                _poll(source, state, expected, commits, order, clock, _streams(followers))
            if not followers:
                followers += [Follower(source, name, events) for name in order.names]
                if order.parent:
                    followers.append(Follower(source, order.parent, events, stream=False))
            teller.tell(states, clock())
            verdict = _verdict(states, order, clock() - began)
            others = [s.judgement.detail for s in states.values() if s.judgement.reason == "pin-not-applied"]
            last_word = verdict is not None and verdict.outcome != "ready"
            if (others or last_word) and pin.moved(clock(), others, final=last_word):
                newer = Superseded(detail=f"the pin in Git names {pin.version} by now")
                return _ended("superseded", newer, states, clock() - began)
            if verdict:
                _innocent(verdict)
                return verdict
            _follow_parents(source, states, parents, order, events)
            _confirm(states, followers, expected, clock())
            _drain(events, states, expected, commits, order, clock, _streams(followers))
    finally:
        for follower in (*followers, *parents.values()):
            follower.stop()


def _streams(followers: Sequence[Follower]) -> bool:
    return bool(followers) and all(follower.streaming for follower in followers)


def _innocent(verdict: Rollout) -> None:
    """Stop where Argo CD's connection to a repository is to blame, not the release: that is nobody's verdict."""
    words = verdict.detail
    if verdict.reason == "comparison-error" and UNREACHABLE.search(words) and "not found" not in words:
        raise Stop(
            "unreachable",
            "Argo CD cannot reach what it has to read.",
            f"{words}.",
            "Look at Argo CD's repo-server and at the registry or Git server it names, then run the gate again.",
        )


def _follow_parents(
    source: Source,
    states: dict[str, Progress],
    parents: dict[str, Follower],
    order: Order,
    events: queue.Queue[tuple[str, Json, bool]],
) -> None:
    """Refresh the Applications that apply the pins for as long as one of them is not applied."""
    late = [
        s for s in states.values() if s.judgement.reason == "pin-not-applied" and s.seen and s.seen.parent
    ]
    wanted = {s.seen.parent for s in late if s.seen} - {"", order.parent, *states}
    for name in wanted - set(parents):
        log.debug(f"{name} applies the pin: it is refreshed")
        parents[name] = Follower(source, name, events, stream=False)
    if not late:
        for name in list(parents):
            parents.pop(name).stop()


def wants_refresh(state: Progress, expected: Expected, now: float) -> bool:
    """Whether Argo CD should look again: its word must be newer than what it shows, or an error stands."""
    if state.judgement.reason == "settling":
        return now - state.history.since >= expected.settle
    limit = endured(state.judgement.reason, state.seen, expected) if state.seen else None
    return limit is not None and now - state.asked_refresh >= ERROR_REFRESH


def _confirm(
    states: dict[str, Progress], followers: Sequence[Follower], expected: Expected, now: float
) -> None:
    for state, follower in zip(states.values(), followers, strict=False):
        if wants_refresh(state, expected, now):
            follower.ask()
            state.asked_refresh = now


def _poll(
    source: Source,
    state: Progress,
    expected: Expected,
    commits: Commits,
    order: Order,
    clock: Callable[[], float],
    streaming: bool,
) -> None:
    """Look at one Application when it is time; only such a look, never an event, can make it ready."""
    good = state.history.reason == "ready"
    if clock() - state.polled < (POLL if good or not streaming or state.trouble else POLL_STREAMING):
        return
    try:
        document = source.application(state.name)
        state.trouble = None
    except Stop as trouble:
        state.polled = clock()
        _endure(state, trouble, order, clock(), expected.patience)
        return
    state.polled = clock()
    _ask_windows(source, state, clock())
    _look(state, document, expected, commits, order, clock(), refreshed=False)
    if isinstance(state.judgement, Ready) and not state.compared_anew:
        state.judgement = Waiting(reason="settling", detail="no refresh has come back since the pin moved")
    if isinstance(state.judgement, Ready):
        try:
            pods = order.pods(state.name)
            state.judgement = state.judgement if isinstance(pods, Ready) else pods
        except Stop as trouble:
            _endure(state, trouble, order, clock(), expected.patience)


def _endure(state: Progress, trouble: Stop, order: Order, now: float, patience: float) -> None:
    """Keep trouble that may pass for a while; what a person must cure ends the wait.

    argocd-server answers every error of the Kubernetes API with 403, so one after good looks may pass.
    """
    if state.trouble is None:
        state.trouble_since = now
    state.trouble = trouble
    missing = bool(order.parent) and trouble.reason in ("missing-permission", "bad-settings")
    may_pass = trouble.reason in PASSING or (bool(state.document) and trouble.reason == "missing-permission")
    if not may_pass and not missing:
        raise trouble
    patience = patience if state.document else PATIENCE_FIRST
    if not missing and now - state.trouble_since > patience:
        raise trouble
    state.judgement = Waiting(reason="no-status", detail=trouble.what)
    if not missing:
        state.history = msgspec.structs.replace(state.history, reason="", looks=0)


def _ask_windows(source: Source, state: Progress, now: float) -> None:
    """Once a minute while nothing syncs: is it a window that forbids it? Whoever may not ask is not told."""
    waits = state.history.reason in ("out-of-sync", "sync-window") and now - state.history.since > 2
    if not waits or now - state.asked_window < 60:
        return
    state.asked_window = now
    try:
        state.sync_window = window_is_shut(source.sync_windows(state.name))
    except Stop as trouble:
        log.debug(trouble.what)


def _look(
    state: Progress,
    document: Json,
    expected: Expected,
    commits: Commits,
    order: Order,
    now: float,
    *,
    refreshed: bool,
) -> None:
    """Judge one document and remember it."""
    seen = documents.read(document)
    held: dict[str, Commit] = {}
    for source in seen.sources:
        if source.is_git and source.revision and is_ours(source, expected):
            if (seen.name, source.key) not in commits:
                commits[seen.name, source.key] = order.commit(source, seen)
            held[source.key] = commits[seen.name, source.key]
    here = msgspec.structs.replace(
        expected, commits=held, sync_window=state.sync_window, named=order.named(document)
    )
    state.judgement = judge(seen, here, state.history, now)
    state.history = remember(state.history, seen, here, now, refreshed=refreshed)
    state.seen, state.document = seen, document
    if state.history.reason == "pin-not-applied":
        state.compared_anew = False
    elif refreshed:
        state.compared_anew = True


def _drain(
    events: queue.Queue[tuple[str, Json, bool]],
    states: dict[str, Progress],
    expected: Expected,
    commits: Commits,
    order: Order,
    clock: Callable[[], float],
    streaming: bool,
) -> None:
    """Wait for an event, or until the next look is due. An event can fail an Application, or hint at ready."""
    lag = min(POLL if streaming is False or s.history.reason == "ready" else 1.0 for s in states.values())
    try:
        name, document, refreshed = events.get(timeout=lag)
    except queue.Empty:
        return
    if name not in states:
        return
    state = states[name]
    if _older(document, state.document):
        return
    _look(state, document, expected, commits, order, clock(), refreshed=refreshed)
    if isinstance(state.judgement, Ready) or state.judgement.reason == "settling":
        state.judgement = Waiting(reason="settling", detail=state.judgement.detail)
        state.polled = min(state.polled, clock() - POLL_STREAMING)


def _older(document: Json, known: Json) -> bool:
    """Whether a slow stream tells what a look has overtaken; versions of one object are numbers that grow."""
    one, other = ((d.get("metadata") or {}).get("resourceVersion") for d in (document, known))
    numbers = str(one).isdigit() and str(other).isdigit()
    return numbers and int(str(one)) < int(str(other))


def _verdict(states: dict[str, Progress], order: Order, waited: float) -> Rollout | None:
    """What all Applications together mean, or None to go on waiting."""
    judged = [state.judgement for state in states.values()]
    enough = order.minimum or len(judged)
    failed = [j for j in judged if isinstance(j, Failed)]
    newer = [j for j in judged if isinstance(j, Superseded)]
    if newer:
        return _ended("superseded", newer[0], states, waited)
    if sum(isinstance(j, Ready) for j in judged) >= enough:
        return _ended("ready", next(j for j in judged if isinstance(j, Ready)), states, waited)
    if len(judged) - len(failed) < enough:
        return _ended("failed", failed[0], states, waited)
    if waited >= order.timeout:
        stuck = next((s for s in states.values() if s.trouble), None)
        if stuck is not None and stuck.trouble is not None and stuck.trouble.reason in PASSING:
            raise stuck.trouble
        slow = next(j for j in judged if not isinstance(j, Ready))
        return _ended("timeout", slow, states, waited)
    return None


def _ended(
    outcome: Literal["ready", "failed", "superseded", "timeout"],
    judgement: Judgement,
    states: dict[str, Progress],
    waited: float,
) -> Rollout:
    late = [s.name for s in states.values() if outcome == "ready" and not isinstance(s.judgement, Ready)]
    looked_at = [state for state in states.values() if state.name not in late]
    return Rollout(
        outcome=outcome,
        reason=judgement.reason,
        detail=judgement.detail + (f"; not waited for: {', '.join(late)}" if late else ""),
        seen=tuple(_seen(state) for state in looked_at),
        documents=tuple(state.document for state in looked_at),
        seconds=round(waited, 1),
    )


def _seen(state: Progress) -> ApplicationSeen:
    revisions = state.seen.revisions if state.seen else ()
    healthy = state.seen.health_since if state.seen and state.seen.health == "Healthy" else ""
    revision = ", ".join(r for r in revisions if r)
    return ApplicationSeen(source="api", name=state.name, revision=revision, healthy_since=healthy)
