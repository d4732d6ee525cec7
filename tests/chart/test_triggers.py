"""A workflow whose filter leaves out the default branch is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stagegate.chart.check import triggers
from stagegate.runner.context import Context


@pytest.mark.parametrize(
    ("on", "deaf"),
    [
        ("{pull_request: {branches: [main]}}", True),
        ("{pull_request: {branches: [staging]}}", False),
        ("{pull_request: {branches: ['sta*', '!staging']}}", True),
        ("{pull_request: {branches: ['**']}}", False),
        ("{pull_request: {branches-ignore: [staging]}, push: {branches: [main]}}", True),
        ("{pull_request: {branches: [main]}, push: {branches: [staging]}}", False),
        ("{push: {tags: ['v*']}}", True),
        ("{pull_request: {paths: ['charts/**']}}", False),
        ("{workflow_dispatch: {}}", False),
        ("[pull_request]", False),
        ("pull_request", False),
        ("{pull_request: }", False),
    ],
)
def test_a_filter_that_leaves_out_the_default_branch_is_reported(tmp_path: Path, on: str, deaf: bool) -> None:
    file = ".github/workflows/charts.yml"
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(f"on: {on}\njobs: {{}}\n")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"repository": {"default_branch": "staging"}}))
    context = Context(
        workspace=tmp_path, event_path=str(event), workflow_ref=f"acme/shop/{file}@refs/pull/1/merge"
    )
    found = triggers.problem(context)
    assert bool(found) == deaf
    assert not deaf or (file in found and "staging" in found)


def test_a_repository_without_workflows_has_no_finding(tmp_path: Path) -> None:
    assert triggers.problem(Context(workspace=tmp_path)) == ""
