"""Every shipped job declares exactly the permissions that docs/permissions.md lists for what it does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

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
            for name, job in YAML(typ="safe", pure=True).load(file.read_text())["jobs"].items():
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


@pytest.mark.parametrize("name", JOBS)
def test_a_job_declares_what_it_uses(name: str) -> None:
    job, used = JOBS[name]
    table = rows()
    ways: list[list[Permissions]] = [[]]
    for action in used:
        ways = [[*way, row] for way in ways for row in table[action]]
    assert dict(job["permissions"]) in [union(way) for way in ways]


def test_every_job_with_a_gate_may_roll_back() -> None:
    gates = {name: job for name, (job, used) in JOBS.items() if {"staging-gate", "promote-pr"} <= set(used)}
    assert set(gates) == {
        ".github/workflows/events.yml gate",
        ".github/workflows/production.yml gate",
        ".github/workflows/road.yml promote",
    }
    needed = {"contents": "write", "pull-requests": "write", "actions": "write"}
    assert all(needed.items() <= job["permissions"].items() for job in gates.values())
