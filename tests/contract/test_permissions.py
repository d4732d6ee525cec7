"""The permissions of every job are the least that the recorded calls of its actions need.

The tests record what each run of an action calls. GitHub's own table says what a call needs. Both together give the
rows of docs/permissions.md, and those the permissions of every shipped job and every README.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab import github_yaml
from lab.conformance import runs
from stagegate.setup.doctor import reusable

ROOT = Path(__file__).resolve().parents[2]
ORDER = {"none": 0, "read": 1, "write": 2}
Permissions = Mapping[str, str]


def rows() -> dict[str, list[Permissions]]:
    """The permission sets of each action, as the document lists them."""
    listed: dict[str, list[Permissions]] = {}
    for line in (ROOT / "docs" / "permissions.md").read_text().splitlines():
        if line.startswith("| ") and "`contents: " in line:
            action, _, permissions = (cell.strip() for cell in line.strip("| ").split(" | "))
            listed.setdefault(action, []).append(dict(re.findall(r"`([a-z-]+): (read|write)`", permissions)))
    return listed


def jobs() -> Iterator[tuple[str, Mapping[str, Any], list[str]]]:
    """Jobs that use the toolkit's actions: name, job, actions."""
    for folder in (ROOT / ".github" / "workflows", *sorted(ROOT.glob("examples/**/.github/workflows"))):
        for file in sorted(folder.glob("*.yml")):
            for name, job in github_yaml.load(file.read_text())["jobs"].items():
                uses = [step.get("uses", "") for step in job.get("steps", ())]
                used = [
                    match[1]
                    for use in uses
                    if (match := re.match(r"(?:\$|acme/stagegate)/actions/([a-z-]+)", use))
                ]
                if used:
                    yield f"{file.relative_to(ROOT)} {name}", job, used


JOBS = {name: (job, used) for name, job, used in jobs()}


def union(sets: list[Permissions]) -> dict[str, str]:
    both: dict[str, str] = {}
    for permissions in sets:
        for name, level in permissions.items():
            both[name] = max(level, both.get(name, "none"), key=ORDER.__getitem__)
    return both


RECORDED = runs.read()
PUBLISHED: dict[str, str] = {
    runs.nameless(call): needs
    for call, needs in json.loads((ROOT / "lab/conformance/permissions.json").read_text())["calls"].items()
}
# GitHub publishes no table for GraphQL, Git and uploads: each needs what the call of REST needs that does the same.
SAME_AS = {
    "git fetch": "GET /repos/{}/{}/git/commits/{}",
    "git push": "PATCH /repos/{}/{}/git/refs/{}",
    "POST /repos/{}/{}/releases/{}/assets": "PATCH /repos/{}/{}/releases/{}",
    "Repository.ref": "GET /repos/{}/{}/git/ref/{}",
    "Repository.refs": "GET /repos/{}/{}/git/matching-refs/{}",
    "Repository.object": "GET /repos/{}/{}/git/commits/{}",
    "Repository.pullRequest": "GET /repos/{}/{}/pulls",
    "Repository.pullRequests": "GET /repos/{}/{}/pulls",
    "Repository.deployments": "GET /repos/{}/{}/deployments",
    "Commit.associatedPullRequests": "GET /repos/{}/{}/commits/{}/pulls",
    "Commit.status": "GET /repos/{}/{}/commits/{}/status",
    "Mutation.createCommitOnBranch": "PUT /repos/{}/{}/contents/{}",
    "Mutation.createRef": "POST /repos/{}/{}/git/refs",
    "Mutation.disablePullRequestAutoMerge": "PATCH /repos/{}/{}/pulls/{}",
    "Mutation.updateRefs": "PATCH /repos/{}/{}/git/refs/{}",
}


CHECKS = "checks=read"
# https://docs.github.com/packages/learn-github-packages/about-permissions-for-github-packages
PUBLISHED |= {"registry read": "packages=read", "registry write": "packages=write"}


def test_the_forge_requires_the_permissions_that_github_publishes() -> None:
    for action, recorded in RECORDED.items():
        for line in recorded.places:
            place, _, needs = line.partition(" needs ")
            published = PUBLISHED.get(SAME_AS.get(place, place))
            assert published, f"{action}: GitHub's table has no {place}"
            assert set(needs.split(";")) <= set(published.split(";")), f"{action}: {place} needs {published}"


def granted(row: Permissions, needs: str) -> list[str]:
    """The alternatives that a row grants."""
    return [
        one
        for one in needs.split(";")
        if ORDER[row.get(one.partition("=")[0].replace("_", "-"), "none")] >= ORDER[one.partition("=")[2]]
    ]


def runs_of(action: str) -> frozenset[runs.Needs]:
    """The recorded runs. A gate or a command that promotes calls what promote-pr calls, in its own job."""
    # Whether a promotion reads check runs is a matter of its settings, and has a sentence of its own.
    own = frozenset(run - {CHECKS} for run in RECORDED[action].runs)
    if action not in ("staging-gate", "pr-command"):
        return own
    promoting = {run - {CHECKS} for run in RECORDED["promote-pr"].runs}
    return own | {runs.least(one | other) for one in own for other in promoting}


def fitting(row: Permissions, action: str) -> list[runs.Needs]:
    """The runs of an action that a job with these permissions can make."""
    return [run for run in runs_of(action) if all(granted(row, needs) for needs in run)]


@pytest.mark.parametrize("action", sorted(set(rows()) & set(RECORDED)))
def test_every_recorded_run_fits_a_row_and_every_row_is_the_least(action: str) -> None:
    table = rows()[action]
    fits = [fitting(row, action) for row in table]
    beyond = [sorted(run) for run in runs_of(action) if not any(run in allowed for allowed in fits)]
    assert not beyond, f"{action}: no row of docs/permissions.md allows these runs"
    for row, allowed in zip(table, fits, strict=True):
        needed = {"contents": "read"}  # every job reads the settings, from a checkout or from GitHub
        for one in (
            granted(row, needs)[0] for run in allowed for needs in run if len(granted(row, needs)) == 1
        ):
            name, _, level = one.replace("_", "-").partition("=")
            needed = union([needed, {name: level}])
        assert row == needed, f"{action}: the calls of its runs need {needed}"


def test_the_actions_that_read_check_runs_are_named_with_the_permission() -> None:
    reading = {action for action, recorded in RECORDED.items() if any(CHECKS in run for run in recorded.runs)}
    (line,) = [
        line
        for line in (ROOT / "docs" / "permissions.md").read_text().split("\n- ")
        if line.startswith("`checks: read` besides")
    ]
    named = {action for action in RECORDED if action in line}
    assert reading <= named
    assert named - reading <= {"pr-command", "pin-guard"}, "they promote or judge in their own job"


@pytest.mark.parametrize("action", sorted(rows()))
def test_doctor_requires_of_a_step_what_every_use_of_its_action_needs(action: str) -> None:
    """A job that declares less than any row fails in every use; one that declares a row may be enough."""
    table = rows()[action]
    common = {
        name: min((row.get(name, "none") for row in table), key=ORDER.__getitem__) for name in union(table)
    }
    interface = reusable.read(action)
    assert interface is not None
    assert interface.permissions == {name: level for name, level in common.items() if level != "none"}


@pytest.mark.parametrize("action", sorted(rows()))
def test_the_readme_of_an_action_names_the_permissions_of_its_rows(action: str) -> None:
    text = (ROOT / "actions" / action / "README.md").read_text()
    section = text.partition("\n## Permissions\n")[2].partition("\n## ")[0]
    section = re.sub(r"`pins-token`[^.]*\.", "", section)  # what a token of another repository needs
    listed = {pair for pair in re.findall(r"\b([a-z-]+): (read|write)\b", section) if pair[0] in PERMISSIONS}
    assert listed, f"{action}: its README has no section Permissions"
    levels = {pair for row in rows()[action] for pair in row.items()}
    assert listed <= levels | {("id-token", "write"), ("attestations", "write")}
    assert set(union([dict([pair]) for pair in listed]).items()) >= set(union(rows()[action]).items())


PERMISSIONS = (
    "actions", "attestations", "contents", "deployments", "id-token", "issues", "packages", "pull-requests", "statuses"
)  # fmt: skip


@pytest.mark.parametrize("name", JOBS)
def test_a_job_declares_what_it_uses(name: str) -> None:
    job, used = JOBS[name]
    table = rows()
    ways: list[list[Permissions]] = [[]]
    for action in used:
        ways = [[*way, row] for way in ways for row in table[action]]
    assert dict(job["permissions"]) in [union(way) for way in ways]


def called() -> Iterator[tuple[str, Permissions, str]]:
    """Jobs that call a workflow of the toolkit: name, permissions, the workflow's file."""
    for file in sorted(ROOT.glob("examples/**/.github/workflows/*.yml")):
        for name, job in github_yaml.load(file.read_text())["jobs"].items():
            if match := re.match(
                r"acme/stagegate/\.github/workflows/([a-z0-9-]+\.yml)@", job.get("uses", "")
            ):
                yield f"{file.relative_to(ROOT)} {name}", job["permissions"], match[1]


CALLED = {name: (permissions, file) for name, permissions, file in called()}


@pytest.mark.parametrize("name", CALLED)
def test_a_job_that_calls_a_workflow_grants_what_its_jobs_declare_and_nothing_else(name: str) -> None:
    permissions, file = CALLED[name]
    inner = github_yaml.load((ROOT / ".github" / "workflows" / file).read_text())["jobs"]
    assert dict(permissions) == union([job["permissions"] for job in inner.values()])


def test_workflows_by_init_grant_the_same_permissions() -> None:
    pattern = r"    permissions:\n((?:      .*\n)+)    uses: \{\{ repository \}\}/\.github/workflows/([a-z0-9-]+\.yml)@"
    texts = [file.read_text() for file in ROOT.glob("scripts/stagegate/setup/templates/*.yml.j2")]
    blocks = [match for text in texts for match in re.findall(pattern, text)]
    assert len(blocks) == 4
    for lines, file in blocks:
        inner = github_yaml.load((ROOT / ".github" / "workflows" / file).read_text())["jobs"]
        written = dict(re.findall(r"([a-z-]+): (read|write)", lines))
        assert written == union([job["permissions"] for job in inner.values()])


def test_every_job_with_a_gate_may_roll_back() -> None:
    gates = {name: job for name, (job, used) in JOBS.items() if {"staging-gate", "promote-pr"} <= set(used)}
    assert set(gates) == {
        ".github/workflows/events.yml gate",
        ".github/workflows/production.yml gate",
        ".github/workflows/road.yml promote",
    }
    needed = {"contents": "write", "pull-requests": "write", "actions": "write"}
    assert all(needed.items() <= job["permissions"].items() for job in gates.values())
