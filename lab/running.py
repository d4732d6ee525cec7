"""Turns one event into runs under act, in which each job has the permissions that GitHub would grant."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from lab import act, github_yaml, rewrite, triggers
from lab.act import ActRun
from lab.forge import Event
from lab.programs import git
from lab.servers import REF, TOOLKIT, Servers

RIGHTS = ("actions", "contents", "deployments", "issues", "packages", "pull-requests", "statuses")
LEVELS = ("none", "read", "write")
_CALLED = re.compile(rf"^{TOOLKIT}/\.github/workflows/([\w-]+\.yml)@")


def started(servers: Servers, event: Event) -> list[str]:
    """Names of the workflow files that an event starts, as the branch has them that GitHub would read."""
    ref = "refs/heads/main" if event.name in triggers.FROM_DEFAULT_BRANCH else event.sha
    store = servers.repositories[event.repository].store
    folder = store.at(store.commit_of(ref) or ref, ".github/workflows")
    entries = store.entries(folder) if folder else []
    files = {entry.path: store.object(entry.sha).decode() for entry in entries}
    return triggers.started(event, files)


def run(servers: Servers, event: Event, workflow: str) -> ActRun:
    """Run one workflow file for an event, in a clone at the event's commit; the finished run."""
    began = time.monotonic()
    repository, repo = event.repository, servers.repositories[event.repository]
    sha = repo.head("main") if event.name in triggers.FROM_DEFAULT_BRANCH else event.sha
    dispatched = event.run if event.name == "workflow_dispatch" else None  # `workflow_run`: the run before
    run_id = servers.forge.run_started(
        repository, workflow, event.name, event.ref, sha, event.actor, run=dispatched
    )
    folder = servers.root / "runs" / f"{len(servers.runs) + 1:02}-{workflow.removesuffix('.yml')}"
    folder.mkdir(parents=True)
    clone = folder / "clone"
    git(servers.root, "clone", "--quiet", str(repo.path), str(clone))
    git(clone, "checkout", "--quiet", "-B", event.ref.removeprefix("refs/heads/").replace("/", "-"), sha)
    git(clone, "remote", "set-url", "origin", f"{servers.forge.url}/{repository}.git")
    reference = f"{TOOLKIT}@{REF}"
    text = (clone / ".github" / "workflows" / workflow).read_text()
    for file in (clone / ".github" / "workflows").glob("*.yml"):
        file.write_text(rewrite.for_act(file.read_text(), reference, file.name))
    secrets = servers.secrets(repository)
    servers.say(f"{event.name} starts {workflow} (run {run_id})")
    code = act.run(
        workflow=workflow,
        event=event.name,
        payload=event.payload,
        clone=clone,
        home=folder / "home",
        log=folder / "log.txt",
        actor=event.actor,
        token="none",  # noqa: S106  every job has its own
        environ=servers.environ(run_id, repository),
        variables={"LAB": json.dumps({"stagegate": {}, **servers.variables()})},
        secrets={
            **secrets.get("", {}),  # of the repository itself
            "LAB": json.dumps({"stagegate": {}, **secrets}),
            "LAB_TOKENS": json.dumps(_tokens(servers, repository, workflow, text)),
        },
        repositories={reference: servers.toolkit},
        path=os.environ["PATH"],
    )
    shutil.rmtree(folder / "home", ignore_errors=True)
    servers.forge.run_finished(run_id, "failure" if code else "success")
    finished = ActRun(run_id, workflow, event.name, code, folder / "log.txt", act.clock(began))
    servers.say(f"{workflow} ended with {code} after {finished.seconds} s")
    return finished


def permissions(toolkit: Path, workflow: str, text: str) -> dict[str, Mapping[str, str]]:
    """The permissions of every job of a workflow, and of those that it calls: its own, and never more than
    the calling job's. By `rewrite.token_key`."""
    by_job: dict[str, Mapping[str, str]] = {}
    document = github_yaml.load(text)
    for name, job in document["jobs"].items():
        called = _CALLED.search(job.get("uses", ""))
        granted_to_job = granted(job.get("permissions", document.get("permissions")))
        if called is None:
            by_job[rewrite.token_key(workflow, name)] = granted_to_job
            continue
        inner = github_yaml.load((toolkit / ".github/workflows" / called[1]).read_text())
        for inner_name, inner_job in inner["jobs"].items():
            requested = granted(inner_job.get("permissions", inner.get("permissions", granted_to_job)))
            by_job[rewrite.token_key(called[1], inner_name)] = {
                right: min(level, granted_to_job.get(right, "none"), key=LEVELS.index)
                for right, level in requested.items()
            }
    return by_job


def granted(permissions: object) -> Mapping[str, str]:
    """The permissions of `permissions:` in a file. Without it they are GitHub's restricted default."""
    if permissions is None:
        return {"contents": "read", "packages": "read"}
    if isinstance(permissions, str):
        return dict.fromkeys(RIGHTS, permissions.removesuffix("-all"))
    assert isinstance(permissions, Mapping)  # noqa: S101  for the type checker
    return permissions


def _tokens(servers: Servers, repository: str, workflow: str, text: str) -> dict[str, str]:
    """A token for each job, with exactly its permissions."""
    return {
        key: servers.forge.token(
            "github-actions[bot]",
            kind="actions",
            repositories=[repository],
            permissions={"metadata": "read"}
            | {right.replace("-", "_"): level for right, level in rights.items() if level != "none"},
        )
        for key, rights in permissions(servers.toolkit, workflow, text).items()
    }
