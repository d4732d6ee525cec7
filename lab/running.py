"""One event becomes runs under act: which workflows it starts, and each with the rights GitHub would give it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from lab import act, rewrite, triggers
from lab.act import ActRun
from lab.forge import Event
from lab.programs import git

if TYPE_CHECKING:
    from lab.lab import Lab

TOOLKIT = "acme/stagegate"
REF = "v0.1.0"


def started(lab: Lab, event: Event) -> list[str]:
    """Names of the workflow files that an event starts, as the branch has them that GitHub would read."""
    ref = "refs/heads/main" if event.name in triggers.FROM_DEFAULT_BRANCH else event.sha
    bare = lab.repositories[event.repository].path
    names = git(bare, "ls-tree", "--name-only", ref, ".github/workflows/").split()
    files = {Path(name).name: git(bare, "show", f"{ref}:{name}") for name in names}
    return triggers.started(event, files)


def run(lab: Lab, event: Event, workflow: str) -> ActRun:
    """Run one workflow file for an event, in a clone at the event's commit; what came of it."""
    began = time.monotonic()
    repository, repo = event.repository, lab.repositories[event.repository]
    sha = repo.head("main") if event.name in triggers.FROM_DEFAULT_BRANCH else event.sha
    dispatched = event.run if event.name == "workflow_dispatch" else None  # `workflow_run`: the run before
    run_id = lab.forge.run_started(
        repository, workflow, event.name, event.ref, sha, event.actor, run=dispatched
    )
    folder = lab.root / "runs" / f"{len(lab.runs) + 1:02}-{workflow.removesuffix('.yml')}"
    folder.mkdir(parents=True)
    clone = folder / "clone"
    git(lab.root, "clone", "--quiet", str(repo.path), str(clone))
    git(clone, "checkout", "--quiet", "-B", event.ref.removeprefix("refs/heads/").replace("/", "-"), sha)
    git(clone, "remote", "set-url", "origin", f"{lab.forge.url}/{repository}.git")
    reference = f"{TOOLKIT}@{REF}"
    for file in (clone / ".github" / "workflows").glob("*.yml"):
        file.write_text(rewrite.for_act(file.read_text(), reference))
    rights = _permissions((clone / ".github" / "workflows" / workflow).read_text())
    lab.say(f"{event.name} starts {workflow} (run {run_id})")
    code = act.run(
        workflow=workflow,
        event=event.name,
        payload=event.payload,
        clone=clone,
        home=folder / "home",
        log=folder / "log.txt",
        actor=event.actor,
        token=lab.forge.token(
            "github-actions[bot]", kind="actions", repositories=[repository], permissions=rights
        ),
        environ=lab.environ(run_id, repository),
        variables=scoped(lab.variables()),
        secrets=scoped(lab.secrets(repository)),
        repositories={reference: lab.toolkit},
        path=os.environ["PATH"],
    )
    shutil.rmtree(folder / "home", ignore_errors=True)
    lab.forge.run_finished(run_id, "failure" if code else "success")
    finished = ActRun(run_id, workflow, event.name, code, folder / "log.txt", act.clock(began))
    lab.say(f"{workflow} ended with {code} after {finished.seconds} s")
    return finished


def scoped(by_environment: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Values of GitHub Environments under the names by which act gets them."""
    return {
        rewrite.scoped(environment, name): value
        for environment, values in by_environment.items()
        for name, value in values.items()
    }


def _permissions(text: str) -> dict[str, str]:
    """The union of what a workflow's jobs may do: act passes one token to all of them."""
    workflow = YAML(typ="safe", pure=True).load(text)
    order = {"none": 0, "read": 1, "write": 2}
    union: dict[str, str] = {"metadata": "read"}
    for job in [workflow, *workflow["jobs"].values()]:
        for right, level in (job.get("permissions") or {}).items():
            if order[level] > order[union.get(right, "none")]:
                union[right.replace("-", "_")] = level
    return union
