"""Publishers of one version, in every order of their requests: one content wins, and the others report it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from lab.registry import Registry as LabRegistry
from stagegate.clients import registry
from stagegate.clients.registry import agreement, claims
from stagegate.clients.registry.claims import Claim
from stagegate.clients.registry.transport import Transport
from stagegate.errors import Stop
from tests.clients.test_registry import artifact

IMAGE = "application/vnd.oci.image.manifest.v1+json"
TAG = "1.0.0"


class State(msgspec.Struct, frozen=True):
    """A registry in the model: its tags, the publisher of the version's content, and each publisher's next request."""

    tags: frozenset[str]
    version: str
    doing: tuple[str, ...]


def after(state: State, who: int, publishers: tuple[Claim, ...]) -> State:
    """The state when this publisher has made its next request."""
    own, doing = publishers[who], state.doing[who]
    tags, version, following = state.tags, state.version, "list"
    if doing == "claim":
        tags |= {own.made}
    elif doing == "list":
        step, _ = claims.next_step(own, tags)
        following = {"wait": "list"}.get(step, step)
    elif doing in ("contest", "concede"):
        tags |= {own.contested if doing == "contest" else own.conceded}
    elif doing == "write":
        tags, version, following = tags | {own.tag}, own.content, "won"
    elif doing == "compare":
        following = "won" if version == own.content else "lost"
    states = tuple(following if index == who else other for index, other in enumerate(state.doing))
    return State(tags=tags, version=version, doing=states)


@pytest.mark.parametrize("contents", ["ab", "ba", "abc", "aab", "aba", "abb"])
def test_every_order_of_requests_has_one_winner(contents: str) -> None:
    publishers = tuple(Claim(tag=TAG, content=content, nonce=str(n)) for n, content in enumerate(contents))
    start = State(tags=frozenset(), version="", doing=("claim",) * len(contents))
    before: dict[State, set[State]] = {start: set()}
    ended, waiting = set(), deque([start])
    while waiting:
        state = waiting.popleft()
        active = [who for who, doing in enumerate(state.doing) if doing not in ("won", "lost")]
        if not active:
            ended.add(state)
        for who in active:
            following = after(state, who, publishers)
            assert not state.version or following.version == state.version, "published content never changes"
            if following not in before:
                before[following] = set()
                waiting.append(following)
            before[following].add(state)
    for state in ended:
        won = {publishers[who].content for who, doing in enumerate(state.doing) if doing == "won"}
        lost = {publishers[who].content for who, doing in enumerate(state.doing) if doing == "lost"}
        assert won == {state.version}
        assert lost == set(contents) - won
    finishing, rest = set(ended), deque(ended)
    while rest:
        for state in before[rest.popleft()] - finishing:
            finishing.add(state)
            rest.append(state)
    assert finishing == set(before), "no publisher waits for ever"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRegistry]:
    with LabRegistry(tmp_path_factory.mktemp("registry")) as running:
        yield running


def publish(host: str, where: str, layer: bytes) -> str:
    """The result of a publisher: "published", or the reason of its Stop."""
    manifest, blobs = artifact(layer)
    try:
        registry.Registry(frozenset({host})).push(where, manifest, blobs, absent=True)
    except Stop as stop:
        return stop.reason
    return "published"


@pytest.mark.parametrize("same", [False, True], ids=["other content", "same content"])
@pytest.mark.parametrize("paused_at", range(1, 8))
def test_two_publishers_leave_one_content_whichever_request_is_slow(
    lab: LabRegistry, monkeypatch: pytest.MonkeyPatch, paused_at: int, same: bool
) -> None:
    """The second publisher sends all its requests while the first one waits before one of its own."""
    where = f"{lab.host}/race/{'same' if same else 'other'}-{paused_at}:{TAG}"
    results: dict[str, str] = {}
    done, first_done = threading.Event(), threading.Event()

    def run_second() -> None:
        results["second"] = publish(lab.host, where, b"first" if same else b"second")
        done.set()

    second = threading.Thread(target=run_second)
    real, sent = Transport.send, [0]

    def send(ours: Transport, *parts: Any, **more: Any) -> Any:
        if threading.current_thread() is not second:
            sent[0] += 1
            if sent[0] == paused_at:
                second.start()
                done.wait(60)  # it has finished, or waits for us
        return real(ours, *parts, **more)

    def pause() -> None:
        if threading.current_thread() is second:
            done.set()
            first_done.wait(0.01)

    monkeypatch.setattr(Transport, "send", send)
    monkeypatch.setattr(agreement, "pause", pause)
    monkeypatch.setattr(agreement, "_ROUNDS", 10_000)
    results["first"] = publish(lab.host, where, b"first")
    first_done.set()
    assert sent[0] >= paused_at
    second.join(60)
    expected = ["published", "published"] if same else ["published", "version-taken"]
    assert sorted(results.values()) == expected
    winner = b"first" if same or results["first"] == "published" else b"second"
    found = registry.Registry(frozenset({lab.host})).digest(where)
    assert found == artifact(winner)[0].digest


def test_a_publisher_that_stopped_half_way_keeps_its_claim(
    lab: LabRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"{lab.host}/race/stopped:{TAG}"
    monkeypatch.setattr(agreement, "pause", lambda: None)
    real = claims.next_step

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(claims, "next_step", killed)
    with pytest.raises(KeyboardInterrupt):
        publish(lab.host, where, b"first")
    monkeypatch.setattr(claims, "next_step", real)
    assert publish(lab.host, where, b"first") == "published", "the same content is completed"

    monkeypatch.setattr(claims, "next_step", killed)
    other = f"{lab.host}/race/abandoned:{TAG}"
    with pytest.raises(KeyboardInterrupt):
        publish(lab.host, other, b"first")
    monkeypatch.setattr(claims, "next_step", real)
    assert publish(lab.host, other, b"second") == "version-taken"
    assert registry.Registry(frozenset({lab.host})).digest(other) is None


def test_a_claim_is_no_version_of_a_chart() -> None:
    own = claims.claim("1.0.0_b.7", "sha256:" + "a" * 64)
    assert own.possible
    assert all(name[0] == "c" for name in (own.made, own.contested, own.conceded))
    assert not claims.claim("1.0.0-" + "a" * 100, "sha256:" + "a" * 64).possible
