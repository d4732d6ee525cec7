"""Histories of commits that follow from a seed, and the step that a walk over all commits finds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import msgspec

STEPS = {"feat!: a": 3, "feat: b": 2, "fix: c": 1, "docs: d": 0, "chore: e": 0}
NO_RELEASE = ("deploy/prod.yaml", "VERSION")  # a pin and the version alone
FILES = (*["src/{}"] * 4, "README.md", "deploy/other.yaml", *NO_RELEASE)

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


class GeneratedCommit(msgspec.Struct):
    """A commit, the numbers of its parents, and the one file that it changes; `late` is how wrong its clock is."""

    message: str
    parents: tuple[int, ...]
    file: str
    late: int

    @property
    def step(self) -> int:
        """The version step that the commit requires."""
        return 0 if self.file in NO_RELEASE else STEPS.get(self.message, 0)


class History(msgspec.Struct):
    """Commits, tags (version -> commit number), and the fast-import stream of both."""

    commits: list[GeneratedCommit]
    tags: dict[str, int]
    stream: bytes


def history(seed: int) -> History:
    """Merges, side lines that are never merged, pre-releases, hotfix tags, and clocks that are days wrong.

    Sometimes they are wrong on so many commits in a row that git's own walk does not notice.
    """
    draw = Draw(seed)
    commits = [GeneratedCommit("feat: open", (), "VERSION", 0)]
    lines, tags, main = [0], {"1.0.0": 0}, 0

    def commit(parents: tuple[int, ...], late: int | None = None) -> None:
        message = "Merge branch 'x'" if len(parents) > 1 else draw.choice(list(STEPS))
        wrong = draw.choice((0, 0, 0, 0, 200_000)) if late is None else late
        commits.append(GeneratedCommit(message, parents, draw.choice(FILES).format(len(commits)), wrong))

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
            if draw.number() < 0.15:  # a long row of commits from long ago, as their clock says
                for _ in range(8):
                    commit((main,), 400_000)
                    main = len(commits) - 1
            tags.setdefault(version, draw.choice((main, main, draw.choice(lines))))
            continue
        commit(parents)
        lines.append(len(commits) - 1)
        if kind < 0.45 or len(parents) > 1:
            main = len(commits) - 1
    commit((main,))
    return History(commits, tags, _stream(commits, tags))


def _stream(commits: list[GeneratedCommit], tags: dict[str, int]) -> bytes:
    rows = []
    for number, commit in enumerate(commits):
        when = 1_700_000_000 + number * 60 - commit.late
        rows.append(
            f"commit refs/heads/line-{number}\nmark :{number + 1}\ncommitter octo <octo@example.com> {when} +0000"
        )
        rows.append(f"data {len(commit.message)}\n{commit.message}")
        rows += [
            f"{'merge' if index else 'from'} :{parent + 1}" for index, parent in enumerate(commit.parents)
        ]
        content = f"0.0.{number}\n"
        rows.append(f"M 100644 inline {commit.file}\ndata {len(content)}\n{content}")
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
                waiting += given.commits[commit].parents
        return reached

    reachable = reach(len(given.commits) - 1)

    def order(version: str) -> tuple[list[int], bool]:
        number, _, candidate = version.partition("-")
        return [int(part) for part in number.split(".")], not candidate

    versions = [version for version, commit in given.tags.items() if commit in reachable]
    previous = max(versions, key=order)
    final = max((version for version in versions if "-" not in version), key=order)
    since = reachable - reach(given.tags[previous]) - reach(given.tags[final])
    return previous, max((given.commits[number].step for number in since), default=0)
