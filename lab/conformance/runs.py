"""Records the requests of each action run with the job's own token, to find the minimum permissions of a job."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.conformance.recording import FOLDER
from lab.forge.demands import Demand

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tests" / "contract" / "recorded_calls.json"
Needs = frozenset[str]  # `contents=read`, or alternatives: `issues=write;pull_requests=write`
ROOMS = ("actions", "cases", "examples", "policy", "promotion", "proposal", "release", "security", "setup")
TESTS = [f"tests/{room}" for room in ROOMS]  # the tests that run actions
# The permissions that `permissions:` of a job can grant; a token of another kind has more.
GRANTED = (
    "actions", "checks", "contents", "deployments", "issues", "packages", "pull_requests", "statuses"
)  # fmt: skip


@dataclass
class Run:
    """One run of an action: the places it called, and the permissions they need."""

    action: str
    places: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)

    def hear(self, demand: Demand) -> None:
        """Record one demand that was made with the job's own token."""
        needs = demand.needs.replace(" ", "")
        if demand.kind == "actions" and needs.partition("=")[0] in GRANTED:
            self.places.add(f"{nameless(demand.place)} needs {needs}")
            self.needs.add(needs)


def nameless(place: str) -> str:
    """A route without the names of its parts, which the forge and GitHub choose differently."""
    return re.sub(r"\{[^}]*\}", "{}", place.replace(" /uploads/", " /"))


def keep(run: Run) -> None:
    """Append a finished run to this process's file, where recording is on."""
    folder = os.environ.get(FOLDER)
    if folder and run.places:
        line = json.dumps([run.action, sorted(run.places), sorted(run.needs)]) + "\n"
        with (Path(folder) / f"{os.getpid()}.runs").open("a", encoding="utf-8") as file:
            file.write(line)


def kept(folder: Path) -> Iterator[Run]:
    """All runs of a folder."""
    for file in sorted(folder.glob("*.runs")):
        for line in file.read_text(encoding="utf-8").splitlines():
            action, places, needs = json.loads(line)
            yield Run(action, set(places), set(needs))


@dataclass(frozen=True)
class Recorded:
    """The recording of one action: every place that its runs called, and the sets of permissions of its runs."""

    places: frozenset[str]
    runs: frozenset[Needs]


def summary(runs: Iterable[Run]) -> dict[str, Recorded]:
    """The recordings by action."""
    calls_by_action: dict[str, tuple[set[str], set[Needs]]] = {}
    for run in runs:
        places, needs = calls_by_action.setdefault(run.action, (set(), set()))
        places |= run.places
        needs.add(least(run.needs))
    return {
        action: Recorded(frozenset(places), frozenset(needs))
        for action, (places, needs) in calls_by_action.items()
    }


def least(needs: Iterable[str]) -> Needs:
    """The permissions of a run without redundant ones: write includes read."""
    distinct = set(needs)
    return frozenset(
        need
        for need in distinct
        if not any(
            alternative in distinct
            for part in need.split(";")
            for alternative in {part, part.replace("=read", "=write")} - {need}
        )
    )


def write(recorded: Mapping[str, Recorded]) -> None:
    """The generated file."""
    document = {
        action: {"calls": sorted(record.places), "runs": sorted(sorted(needs) for needs in record.runs)}
        for action, record in sorted(recorded.items())
    }
    FILE.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def main(tests: list[str]) -> int:
    """Run tests and write the calls of their actions; for a part of the tests, add them to the file."""
    workers = os.environ.get("WORKERS", "2")
    with tempfile.TemporaryDirectory(prefix="stagegate-calls-") as folder:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            workers,
            "--dist",
            "loadfile",
            *(tests or TESTS),
        ]
        completed = subprocess.run(command, cwd=ROOT, env={**os.environ, FOLDER: folder}, check=False)
        recorded = summary(kept(Path(folder)))
    write(together(read(), recorded) if tests else recorded)
    return completed.returncode


def together(first: Mapping[str, Recorded], second: Mapping[str, Recorded]) -> dict[str, Recorded]:
    """The union of both."""
    none = Recorded(frozenset(), frozenset())
    pairs = {action: (first.get(action, none), second.get(action, none)) for action in {*first, *second}}
    return {
        action: Recorded(left.places | right.places, left.runs | right.runs)
        for action, (left, right) in pairs.items()
    }


def read() -> dict[str, Recorded]:
    """The generated file; nothing where it is not there yet."""
    if not FILE.exists():
        return {}
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        action: Recorded(frozenset(entry["calls"]), frozenset(frozenset(needs) for needs in entry["runs"]))
        for action, entry in document.items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
