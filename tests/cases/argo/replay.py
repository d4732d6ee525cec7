"""Replay documents with the gate's own functions, in virtual time.

  python3 lab/toolbox.py run python3 tests/cases/argo/replay.py CHECKOUT FILE.json...   (exit 1 when one disagrees)

judge: a look every 0.5 s, a refreshed document after 1 s, every 20 s and when the gate asks for one. pods: one look at
the pods. commits: what Git revisions hold. content: Argo CD's manifests against ours.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

Json = dict[str, Any]
PATIENCE = 120.0  # seconds; the watch of a case lasts 150
TAG_OBJECT = "9d" * 20  # what the documents show for an annotated tag, where a case does not name another


def moved(document: Json, base: datetime, seconds: float) -> Json:
    """The document after a refresh so many seconds later."""
    later = copy.deepcopy(document)
    when = (later.get("status") or {}).get("reconciledAt")
    if when:
        stamp = (base + timedelta(seconds=int(seconds))).strftime("%Y-%m-%dT%H:%M:%SZ")
        later["status"]["reconciledAt"] = max(when, stamp)
    return later


def expected(case: Json) -> Any:
    """The release of a case, with the patience of these replays."""
    from stagegate.gate.expected import Expected

    given = {"patience": PATIENCE, "release_tag_object": TAG_OBJECT, **case["release"]}
    return Expected(**{**given, "repositories": tuple(case["release"]["repositories"])})


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def judge(case: Json) -> tuple[bool, str]:
    """Whether one Application's documents give the expected verdict, and the verdict."""
    from stagegate.gate import rollout
    from stagegate.gate.plan import Ready, Waiting
    from stagegate.gate.progress import Progress

    release, commits = expected(case), case["commits"]
    order = rollout.Order(
        environment="staging",
        names=("a",),
        timeout=1200.0,
        commit=lambda source, _: commits.get(source.revision, "behind"),
        pods=lambda _: Ready(),
        named=lambda _: case.get("named", ""),
    )

    class Windows:
        def sync_windows(self, _: str) -> Any:
            return case["windows"]

    stamps = [step["application"].get("status", {}).get("reconciledAt") for step in case["timeline"]]
    base = max((_time(stamp) for stamp in stamps if stamp), default=datetime.now(timezone.utc))

    def document(now: float, refresh: float | None) -> Json:
        steps = case["timeline"]
        step = next(s["application"] for s in steps if s["until"] is None or now < s["until"])
        follows = refresh is not None and case["reconciled_follows_refresh"]
        return moved(step, base, refresh or 0.0) if follows else copy.deepcopy(step)

    state, memory, now, refresh, last, asked = Progress(name="a"), rollout.Commits(), 0.0, None, 0.0, False
    source: Any = Windows()
    while now <= case["watch_seconds"]:
        rollout._ask_windows(source, state, now)
        rollout._look(state, document(now, refresh), release, memory, order, now, refreshed=False)
        if not isinstance(state.judgement, Waiting):
            break
        due = refresh is not None and (now >= last + 20 or (asked and now >= last + 1))
        if (refresh is None and now >= 1) or due:
            refresh, last, asked = now, now, False
            rollout._look(state, document(now, refresh), release, memory, order, now, refreshed=True)
        elif rollout.wants_refresh(state, release, now):
            asked = True
        now += 0.5
    verdict = type(state.judgement).__name__.lower()
    wanted, reason = case["expect"], state.judgement.reason
    good = verdict == wanted["verdict"] and (not wanted["reasons"] or reason in wanted["reasons"])
    return good, f"{verdict} {reason} after {now:.1f} s: {state.judgement.detail[:120]}"


def look_at_pods(case: Json) -> tuple[bool, str]:
    """Whether a look at pods gives the expected result."""
    from stagegate.gate import pods
    from stagegate.model import Image

    known, images = case["registry"], tuple(Image(**image) for image in case["images"])

    class Registry:
        def digest(self, place: str) -> str | None:
            digest = place.split("@")[1]
            return digest if digest in (known["index"], *known["children"]) else None

        def children(self, place: str) -> frozenset[str]:
            return frozenset(known["children"]) if place.endswith(known["index"]) else frozenset()

        def config_digest(self, _: str) -> str:
            return str(known.get("config", ""))

    class Source:
        def tree(self, _: str) -> Json:
            return {"nodes": [self._node(pod) for pod in case["pods"]]}

        def _node(self, pod: Json) -> Json:
            name = pod["metadata"]["name"]
            owner = dict(zip(("group", "kind", "name"), case["owners"][name], strict=False))
            written = [container["image"] for container in pod["spec"]["containers"]]
            space = pod["metadata"]["namespace"]
            node: Json = {"version": "v1", "kind": "Pod", "namespace": space, "name": name}
            return {**node, "images": written, "parentRefs": [owner]}

        def resource(self, _: str, node: Json) -> Any:
            return next(pod for pod in case["pods"] if pod["metadata"]["name"] == node["name"])

    source: Any = Source()
    registry: Any = Registry()
    proof = pods.look(source, "a", images, case["tags"], pods.family(registry, images))
    wanted, reason = case["expect"], proof.judgement.reason
    proven = wanted["proven"] is None or bool(proof.proven) == wanted["proven"]
    text = f"{reason} proven={bool(proof.proven)} by_tag={bool(proof.by_tag)}"
    return reason == wanted["verdict"] and proven, f"{text} {getattr(proof.judgement, 'detail', '')[:120]}"


def shared_commits(case: Json) -> tuple[bool, str]:
    """Whether Applications that share a repository are each judged by their own files."""
    from stagegate.gate import commits, rollout
    from stagegate.gate.plan import Ready
    from stagegate.gate.progress import Progress
    from stagegate.model import Release

    given = case["release"]
    release = Release(
        app="x", version=given["version"], tag=given["release_tag"], commit=given["release_commit"]
    )
    changed = case["changed_since"]

    class Comparison:
        def __init__(self, base: str, head: str) -> None:
            self.status = "behind" if head in changed else "ahead"
            self.files = tuple(changed.get(base, changed.get(head, ())))

    class Hub:
        def compare(self, base: str, head: str) -> Comparison:
            return Comparison(base, head)

    hubs: Any = {case["pins"]: Hub()}
    read = commits.reader(
        hubs, case["pins"], case["head"], release, tuple(case["pin_files"]), lambda _: release.version
    )
    names = [application["metadata"]["name"] for application in case["applications"]]
    order = rollout.Order(
        environment="staging", names=tuple(names), timeout=1.0, commit=read, pods=lambda _: Ready()
    )
    states, memory = {name: Progress(name=name) for name in names}, rollout.Commits()
    base = _time(case["applications"][0]["status"]["reconciledAt"])
    for now in range(15):
        for name, application in zip(names, case["applications"], strict=True):
            document = moved(application, base, now)
            rollout._look(states[name], document, expected(case), memory, order, float(now), refreshed=False)
    verdicts = {n: (type(s.judgement).__name__.lower(), s.judgement.reason) for n, s in states.items()}
    good = all(
        verdicts[name][0] == verdict and (not reasons or verdicts[name][1] in reasons)
        for name, (verdict, reasons) in case["expect"].items()
    )
    return good, str(verdicts)


def compare(case: Json) -> tuple[bool, str]:
    """Whether manifests are equal or different, as expected."""
    from stagegate.gate import content

    different = content.differences(case["theirs"], case["ours"], case["namespace"])
    return (not different) == case["expect"]["equal"], str(different)


KINDS: dict[str, Callable[[Json], tuple[bool, str]]] = {
    "judge": judge,
    "pods": look_at_pods,
    "commits": shared_commits,
    "content": compare,
}


def cases(file: Path) -> list[Json]:
    """The cases of one file."""
    content = json.loads(file.read_text())
    return list(content["judge"]) if "judge" in content else [content]


def replay(case: Json) -> tuple[bool, str]:
    """Whether a case ends as expected, and how it ended."""
    return KINDS[case.get("kind", "judge")](case)


def main(argv: list[str]) -> int:
    """0 when everything agrees."""
    sys.path.insert(0, str(Path(argv[0]).resolve() / "scripts"))
    bad = 0
    for file in (path for given in argv[1:] for path in _files(Path(given))):
        for case in cases(file):
            good, text = replay(case)
            bad += not good
            print("ok  " if good else "DIFF", case["id"], "|", text)
    print(f"{bad} disagree")
    return int(bool(bad))


def _files(given: Path) -> list[Path]:
    return sorted(given.glob("*.json")) if given.is_dir() else [given]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
