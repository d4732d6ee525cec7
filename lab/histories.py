"""Generated histories, and the decision about the next version in checkouts of them at several depths.

The reference walks the whole graph. Tests and the bench compare every depth with it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lab.generated_history import expected, history
from stagegate import settings as settings_file
from stagegate.clients import git_trees
from stagegate.clients.hub import Blob, CommitOrigin
from stagegate.release.bump import facts, plan
from stagegate.release.bump.plan_facts import BumpPlan
from stagegate.release.bump.versioned_app import VersionedApp

SETTINGS = settings_file.parse(
    b"app: shop\nversion: {files: [VERSION]}\nenvironments: [{name: prod, pins: [deploy/prod.yaml]}]\n",
    "stagegate.yaml",
)
DEPTHS = (1, 2, 5, 0)  # 0: a whole clone
REQUESTS = 4  # to origin, in one decision


class Files:
    """The part of the hub that a decision reads: the version file at the head, and old contents from `origin`."""

    repository = "acme/shop"
    server_url = "https://github.com"

    def __init__(self, version: str, origin: Path) -> None:
        self._version, self._origin = version, origin

    def files(self, _: str, paths: tuple[str, ...]) -> dict[str, Blob]:
        return {path: Blob(oid="0" * 40, content=f"{self._version}\n".encode()) for path in paths}

    def texts(self, oids: Iterable[str]) -> dict[str, bytes]:
        return git_trees.contents(self._origin, oids)

    def origins(self, *_: object) -> dict[str, CommitOrigin]:
        return {}


RANKS = {"major": 3, "minor": 2, "patch": 1}


def decide(work: Path, version: str, origin: Path | None = None) -> BumpPlan:
    """The decision in a checkout of `origin`, or without one from the clone itself."""
    hub: Any = Files(version, origin) if origin else None
    app = VersionedApp(settings=SETTINGS, config="stagegate.yaml")
    (app_facts,) = facts.read([app], hub, work, "main", run_id="1", today="2026-01-05", env={})
    return plan.plan(SETTINGS, app_facts, "auto")


@contextmanager
def requests(trace: Path) -> Iterator[list[str]]:
    """The requests that git makes to origin, also those that it makes on its own for an object that is missing.

    They are known when the context is left; `trace` is a file to write.
    """
    asked: list[str] = []
    with patch.dict(os.environ, GIT_TRACE=str(trace)):
        yield asked
    lines = trace.read_text(errors="replace").splitlines() if trace.exists() else []
    asked += [line for line in lines if "built-in: git upload-pack" in line]


def git(cwd: Path, *words: str, stdin: bytes | None = None) -> None:
    subprocess.run(["git", *words], cwd=cwd, input=stdin, check=True, capture_output=True)


def differences(seed: int, folder: Path) -> list[str]:
    """What is wrong about one history: a depth that decides otherwise, or all that differ from the reference."""
    given = history(seed)
    previous, step = expected(given)
    origin = folder / "origin"
    origin.mkdir(parents=True)
    git(origin, "init", "--quiet", "--bare", "--initial-branch=main")
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(origin, "fast-import", "--quiet", stdin=given.stream)
    decisions, differing = {}, []
    for depth in DEPTHS:
        work = folder / f"depth-{depth}"
        limit = [f"--depth={depth}"] if depth else []
        git(folder, "clone", "--quiet", "--no-tags", *limit, f"file://{origin}", str(work))
        with requests(folder / f"trace-{depth}") as asked:
            decisions[str(depth)] = decide(work, previous, origin)
        if len(asked) > REQUESTS:
            differing.append(f"depth {depth}: {len(asked)} requests")
    git(work, "fetch", "--quiet", "--tags", "origin")
    (work / "VERSION").write_text(f"{previous}\n")
    decisions["alone"] = decide(work, previous)
    first = decisions["0"]
    differing += [
        f"{name}: {decision.version} and not {first.version}"
        for name, decision in decisions.items()
        if (decision.version, decision.level, decision.reason) != (first.version, first.level, first.reason)
        or (name != "alone" and decision.notes != first.notes)  # only GitHub has the links
    ]
    if first.previous != previous:
        differing.append(f"the newest version is {first.previous} and not {previous}")
    if first.reason != "already-released" and (first.reason == "released") != (step > 0):
        differing.append(f"{first.reason}, but the highest step is {step}")
    if "-" not in previous and first.reason == "released" and RANKS[first.level] != step:
        differing.append(f"{first.level}, but the highest step is {step}")
    return differing
