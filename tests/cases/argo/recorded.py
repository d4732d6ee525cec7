"""Run the gate's wait against recordings of a real Argo CD, in virtual time.

  python3 lab/toolbox.py run python3 tests/cases/argo/recorded.py CHECKOUT [--real] FILE.jsonl...

Exit 1 when one ends unexpectedly; its first line names the expected ends. With `--real` a server plays them in
real time, all at once, to the client that asks Argo CD.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]


class Registry:
    """A registry with the images of a recording's header."""

    def __init__(self, images: list[Json]) -> None:
        self.images = images

    def digest(self, place: str) -> str | None:
        """The digest when it is one of the header's."""
        digest = place.partition("@")[2]
        return digest if any(digest in (i["digest"], i["platform"]) for i in self.images) else None

    def children(self, place: str) -> frozenset[str]:
        """The platforms of an index."""
        return frozenset(i["platform"] for i in self.images if place.endswith(i["digest"]))

    def config_digest(self, place: str) -> str:
        """The image id of a platform."""
        digest = place.partition("@")[2]
        configs = (str(i.get("config", "")) for i in self.images if digest in (i["digest"], i["platform"]))
        return next(configs, "")


class Ended(NamedTuple):
    """How the wait against a recording ended."""

    name: str
    good: bool
    text: str
    expect: Json


def header(file: Path) -> Json:
    """The first line of a recording: the release, and how the wait may end."""
    with file.open() as lines:
        return dict(json.loads(lines.readline()))


class RecordedWorld:
    """A recording as a world of virtual time."""

    def __init__(self, file: Path) -> None:
        from tests.cases.argo.play import Recording

        self.recording = Recording(file)

    def application(self, name: str, t: float) -> tuple[int | None, Any]:
        """The response to a look."""
        return self.recording.application(name, t)

    def answered_at(self, name: str, t: float) -> float:
        """When a refresh returned."""
        return self.recording.answered_at(name, t)

    def refresh(self, name: str, t: float, *, hard: bool = False) -> None:  # noqa: ARG002
        """Note a refresh that returned, if Argo CD responded."""
        if self.recording.application(name, t)[0] == 200:
            self.recording.refresh(name, t)

    def stream(self, name: str) -> list[tuple[float, Json]]:
        """Every event of the stream."""
        events = self.recording.events.get(name, ())
        return [(e["t"], e["application"]) for e in events if e["source"] == "stream" and "application" in e]

    def pods(self, name: str, t: float) -> tuple[Json, list[Json]] | None:
        """The resource tree with the live pods."""
        seen = self.recording.other(name, t, "pods")
        return (seen["tree"], list(seen.get("live", ()))) if seen else None

    def windows(self, name: str, t: float) -> Json:
        """The sync windows."""
        return dict((self.recording.other(name, t, "syncwindows") or {}).get("answer", {"canSync": True}))


def run(file: Path, *, real: bool = False) -> Ended:
    """Wait against one recording."""
    from stagegate.clients.argocd import ArgoCD
    from stagegate.gate.rollout import wait
    from tests.cases.argo.play import Player
    from tests.gate.virtual import Clock, VirtualNews, VirtualSource

    if real:
        with Player(file) as player:
            began = time.monotonic()
            begin = player.recording.begin
            return _ended(file, ArgoCD(player.url, "token"), lambda: begin + time.monotonic() - began, wait)
    world = RecordedWorld(file)
    clock = Clock(world.recording.begin)
    source = VirtualSource(world, clock)

    def virtual(source: Any, expected: Any, order: Any) -> Any:
        return wait(source, expected, order, clock=clock, following=VirtualNews(source))

    return _ended(file, source, clock, virtual)


def _ended(file: Path, source: Any, now: Callable[[], float], wait: Callable[..., Any]) -> Ended:
    from stagegate.errors import Stop
    from stagegate.gate import pods
    from stagegate.gate.expected import Expected
    from stagegate.gate.order import Order
    from stagegate.model import Image

    told = header(file)
    expect = told["expect"]
    images = tuple(Image(reference=i["reference"], digest=i["digest"]) for i in told["images"])
    registry: Any = Registry(told["images"])
    family = pods.family(registry, images)
    given = {**told["release"], "repositories": tuple(told["release"].get("repositories", ()))}
    release = {key: value for key, value in given.items() if key in Expected.__struct_fields__}

    def pinned() -> str:
        named = [version for at, version in expect.get("pins", ()) if at <= now()]
        return named[-1] if named else ""

    order = Order(
        environment="staging",
        names=tuple(told["applications"]),
        timeout=float(expect["by"]),
        commit=lambda seen, app: told.get("commits", {}).get(app.name, {}).get(seen.revision, "behind"),
        pods=lambda name: pods.look(source, name, images, tuple(told["tags"]), family).judgement,
        stuck=lambda name: pods.stuck(source, name, images, tuple(told["tags"])),
        pinned=pinned,
    )
    try:
        result = wait(source, Expected(**release), order)
        outcome, reason, detail = str(result.outcome), result.reason, result.detail
    except Stop as stop:
        outcome, reason, detail = "error", stop.reason, stop.what
    seconds = now()
    good = outcome in expect["outcome"]
    good = good and (not expect.get("reason") or reason in expect["reason"] or outcome == "ready")
    good = good and (outcome != "ready" or seconds >= expect.get("ready-not-before", 0))
    good = good and (outcome != "ready" or seconds <= expect.get("ready-by", 1e9))
    return Ended(file.name, good, f"{outcome} {reason} at {seconds:.1f} s: {detail[:150]}", expect)


def run_real(files: list[Path]) -> list[Ended]:
    """Every recording at the same time, in real time."""
    ended: list[Ended] = []
    threads = [threading.Thread(target=lambda f=file: ended.append(run(f, real=True))) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ended)


def main(argv: list[str]) -> int:
    """0 when all end as they may."""
    root = Path(argv[0]).resolve()
    sys.path[:0] = [str(root / "scripts"), str(root)]
    places = [Path(given) for given in argv[1:] if given != "--real"]
    files = [
        file for place in places for file in (sorted(place.glob("*.jsonl")) if place.is_dir() else [place])
    ]
    ended = run_real(files) if "--real" in argv else [run(file) for file in files]
    for one in ended:
        print("ok  " if one.good else "DIFF", one.name, "|", one.text, "" if one.good else f"| {one.expect}")
    bad = sum(not one.good for one in ended) + len(files) - len(ended)
    print(f"{bad} of {len(files)} end otherwise")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
