"""Generated histories, and the decision about the next version in checkouts of them at several depths.

The reference walks the whole graph. Tests and the bench compare every depth with it.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from stagegate import settings as settings_file
from stagegate.clients.hub import Blob, CommitOrigin
from stagegate.release.bump import facts, plan
from stagegate.release.bump.plan_facts import BumpPlan
from stagegate.release.bump.versioned_app import VersionedApp

SETTINGS = settings_file.parse(b"app: shop\nversion: {files: [VERSION]}\n", "stagegate.yaml")
DEPTHS = (1, 2, 5, 0)  # 0: a whole clone
STEPS = {"feat!: a": 3, "feat: b": 2, "fix: c": 1, "docs: d": 0, "chore: e": 0}


T = TypeVar("T")


class Draw:
    """Numbers that follow from a seed, the same everywhere."""

    def __init__(self, seed: int) -> None:
        self._seed, self._count = seed, 0

    def number(self) -> float:
        """The next number, from 0 to below 1."""
        self._count += 1
        digest = hashlib.sha256(f"{self._seed}/{self._count}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / (1 << 48)

    def choice(self, among: Sequence[T]) -> T:
        """One of several."""
        return among[int(self.number() * len(among))]


class History(msgspec.Struct):
    """Commits as (message, parents), tags (version -> commit number), and the fast-import stream of both."""

    commits: list[tuple[str, tuple[int, ...]]]
    tags: dict[str, int]
    stream: bytes


def history(seed: int) -> History:
    """Merges, side lines that are never merged, pre-releases, hotfix tags, and clocks that are days wrong."""
    draw = Draw(seed)
    commits: list[tuple[str, tuple[int, ...]]] = [("feat: open", ())]
    lines, tags, main = [0], {"1.0.0": 0}, 0
    for _ in range(draw.choice(range(4, 23))):
        kind = draw.number()
        if kind < 0.45:
            parents: tuple[int, ...] = (main,)
        elif kind < 0.65:
            parents = (draw.choice(lines),)
        elif kind < 0.85:
            side = draw.choice(lines)
            parents = (main, side) if side != main else (main,)
        else:
            base = max(tags, key=lambda text: [int(part) for part in text.partition("-")[0].split(".")])
            major, minor, patch = (int(part) for part in base.partition("-")[0].split("."))
            version = draw.choice((f"{major}.{minor}.{patch + 1}", f"{major}.{minor + 1}.0"))
            version += draw.choice(("", "", "-rc.1"))
            tags.setdefault(version, draw.choice((main, main, draw.choice(lines))))
            continue
        message = "Merge branch 'x'" if len(parents) > 1 else draw.choice(list(STEPS))
        commits.append((message, parents))
        lines.append(len(commits) - 1)
        if kind < 0.45 or len(parents) > 1:
            main = len(commits) - 1
    commits.append((draw.choice(list(STEPS)), (main,)))
    return History(commits, tags, _stream(draw, commits, tags))


def _stream(draw: Draw, commits: list[tuple[str, tuple[int, ...]]], tags: dict[str, int]) -> bytes:
    rows = []
    for number, (message, parents) in enumerate(commits):
        when = 1_700_000_000 + number * 60 - draw.choice((0, 0, 0, 0, 200_000))
        rows.append(
            f"commit refs/heads/line-{number}\nmark :{number + 1}\ncommitter octo <octo@example.com> {when} +0000"
        )
        rows.append(f"data {len(message)}\n{message}")
        rows += [f"{'merge' if index else 'from'} :{parent + 1}" for index, parent in enumerate(parents)]
        rows.append(f"M 100644 inline f{number}\ndata 1\n{number % 10}\n")
    rows += [f"reset refs/tags/v{version}\nfrom :{number + 1}\n" for version, number in tags.items()]
    rows.append(f"reset refs/heads/main\nfrom :{len(commits)}\n")
    return ("\n".join(rows) + "\n").encode()


def expected(given: History) -> tuple[str, int]:
    """The newest version in the history of main and the highest step that neither it nor the newest final version
    contains, by walking every commit."""

    def reach(number: int) -> set[int]:
        waiting, reached = [number], set()
        while waiting:
            commit = waiting.pop()
            if commit not in reached:
                reached.add(commit)
                waiting += given.commits[commit][1]
        return reached

    ours = reach(len(given.commits) - 1)

    def order(version: str) -> tuple[list[int], bool]:
        number, _, candidate = version.partition("-")
        return [int(part) for part in number.split(".")], not candidate

    versions = [version for version, commit in given.tags.items() if commit in ours]
    previous = max(versions, key=order)
    final = max((version for version in versions if "-" not in version), key=order)
    since = ours - reach(given.tags[previous]) - reach(given.tags[final])
    return previous, max((STEPS.get(given.commits[number][0], 0) for number in since), default=0)


class Files:
    """The part of the hub that a decision reads: the version file at the head."""

    repository = "acme/shop"
    server_url = "https://github.com"

    def __init__(self, version: str) -> None:
        self._version = version

    def files(self, _: str, paths: tuple[str, ...]) -> dict[str, Blob]:
        return {path: Blob(oid="0" * 40, content=f"{self._version}\n".encode()) for path in paths}

    def origins(self, *_: object) -> dict[str, CommitOrigin]:
        return {}


RANKS = {"major": 3, "minor": 2, "patch": 1}


def decide(work: Path, version: str, *, alone: bool = False) -> BumpPlan:
    """The decision in a checkout; `alone` from the clone itself."""
    hub: Any = None if alone else Files(version)
    app = VersionedApp(settings=SETTINGS, config="stagegate.yaml")
    (known,) = facts.read([app], hub, work, "main", run_id="1", today="2026-01-05", env={})
    return plan.plan(SETTINGS, known, "auto")


def git(cwd: Path, *words: str, stdin: bytes | None = None) -> None:
    subprocess.run(["git", *words], cwd=cwd, input=stdin, check=True, capture_output=True)


def differences(seed: int, folder: Path) -> list[str]:
    """The differences of one history: the depths that decide differently from the reference."""
    given = history(seed)
    previous, step = expected(given)
    origin = folder / "origin"
    origin.mkdir(parents=True)
    git(origin, "init", "--quiet", "--bare", "--initial-branch=main")
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(origin, "fast-import", "--quiet", stdin=given.stream)
    decisions = {}
    for depth in DEPTHS:
        work = folder / f"depth-{depth}"
        limit = [f"--depth={depth}"] if depth else []
        git(folder, "clone", "--quiet", "--no-tags", *limit, f"file://{origin}", str(work))
        decisions[str(depth)] = decide(work, previous)
    git(work, "fetch", "--quiet", "--tags", "origin")
    (work / "VERSION").write_text(f"{previous}\n")
    decisions["alone"] = decide(work, previous, alone=True)
    first = decisions["0"]
    found = [
        f"{name}: {one.version} and not {first.version}"
        for name, one in decisions.items()
        if (one.version, one.level, one.reason) != (first.version, first.level, first.reason)
        or (name != "alone" and one.notes != first.notes)  # only GitHub has the links
    ]
    if first.previous != previous:
        found.append(f"the newest version is {first.previous} and not {previous}")
    if first.reason != "already-released" and (first.reason == "released") != (step > 0):
        found.append(f"{first.reason}, but the highest step is {step}")
    if "-" not in previous and first.reason == "released" and RANKS[first.level] != step:
        found.append(f"{first.level}, but the highest step is {step}")
    return found
