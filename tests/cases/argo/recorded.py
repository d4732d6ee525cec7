"""Run the gate's wait against recordings of a real Argo CD, in real time, all at once.

  python3 lab/toolbox.py run python3 tests/cases/argo/recorded.py CHECKOUT FILE.jsonl...

Exit 1 when one ends otherwise than it may; its first line says how it may end.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]


class Registry:
    """Knows the images of a recording's header."""

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


def run(file: Path, ended: list[Ended]) -> None:
    """Wait against one recording and append how that ended."""
    from stagegate.clients.argocd import ArgoCD
    from stagegate.errors import Stop
    from stagegate.gate import pods, rollout
    from stagegate.gate.look import Expected
    from stagegate.model import Image

    player = _play()(file)
    with player:
        header = player.recording.header
        expect, began = header["expect"], time.monotonic()
        images = tuple(Image(reference=i["reference"], digest=i["digest"]) for i in header["images"])
        registry: Any = Registry(header["images"])
        family = pods.family(registry, images)
        source = ArgoCD(player.url, "token")
        given = {**header["release"], "repositories": tuple(header["release"].get("repositories", ()))}
        release = {key: value for key, value in given.items() if key in Expected.__struct_fields__}

        def pinned() -> str:
            now = header.get("from", 0) + time.monotonic() - began
            named = [version for at, version in expect.get("pins", ()) if at <= now]
            return named[-1] if named else ""

        order = rollout.Order(
            environment="staging",
            names=tuple(header["applications"]),
            timeout=float(expect["by"]),
            commit=lambda seen, app: header.get("commits", {}).get(app.name, {}).get(seen.revision, "behind"),
            pods=lambda name: pods.look(source, name, images, tuple(header["tags"]), family).judgement,
            pinned=pinned,
        )
        try:
            result = rollout.wait(source, Expected(**release), order)
            outcome, reason, detail = str(result.outcome), result.reason, result.detail
        except Stop as stop:
            outcome, reason, detail = "error", stop.reason, stop.what
        seconds = header.get("from", 0) + time.monotonic() - began
    good = outcome in expect["outcome"]
    good = good and (not expect.get("reason") or reason in expect["reason"] or outcome == "ready")
    good = good and (outcome != "ready" or seconds >= expect.get("ready-not-before", 0))
    good = good and (outcome != "ready" or seconds <= expect.get("ready-by", 1e9))
    ended.append(Ended(file.name, good, f"{outcome} {reason} at {seconds:.1f} s: {detail[:150]}", expect))


def _play() -> Any:
    """The player, whether this is a module of the project or a script of its own."""
    return importlib.import_module("tests.cases.argo.play" if __package__ else "play").Player


def run_all(files: list[Path]) -> list[Ended]:
    """Every recording at the same time, as it was in real time."""
    ended: list[Ended] = []
    threads = [threading.Thread(target=run, args=(file, ended)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ended)


def main(argv: list[str]) -> int:
    """0 when all end as they may."""
    sys.path[:0] = [str(Path(argv[0]).resolve() / "scripts"), str(Path(__file__).parent)]
    places = [Path(given) for given in argv[1:]]
    files = [
        file for place in places for file in (sorted(place.glob("*.jsonl")) if place.is_dir() else [place])
    ]
    ended = run_all(files)
    for one in ended:
        print("ok  " if one.good else "DIFF", one.name, "|", one.text, "" if one.good else f"| {one.expect}")
    bad = sum(not one.good for one in ended) + len(files) - len(ended)
    print(f"{bad} of {len(files)} end otherwise")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
