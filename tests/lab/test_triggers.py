"""The lab starts what GitHub would start."""

from __future__ import annotations

from typing import Any

import pytest

from lab.forge import Event
from lab.triggers import started


def event(
    name: str,
    action: str | None = None,
    ref: str = "refs/heads/main",
    paths: tuple[str, ...] = (),
    **payload: Any,
) -> Event:
    return Event(1, "acme/shop", name, action, ref, "a" * 40, "octo-dev", payload, paths=paths)


PUSH = "on: {push: {branches: [main, 'release/**'], paths-ignore: [deploy/**]}}"
PINS = "on: {push: {branches: [main], paths: [deploy/**, '!deploy/values/**']}}"


@pytest.mark.parametrize(
    ("happening", "on", "starts"),
    [
        (event("push", paths=("app.py",)), PUSH, True),
        (event("push", paths=("deploy/a/b.yaml",)), PUSH, False),
        (event("push", paths=("deploy/a.yaml", "app.py")), PUSH, True),
        (event("push", ref="refs/heads/release/1/x", paths=("app.py",)), PUSH, True),
        (event("push", ref="refs/heads/feature", paths=("app.py",)), PUSH, False),
        (event("push", ref="refs/tags/v1", paths=("app.py",)), PUSH, False),
        (event("push", paths=("deploy/a.yaml",)), PINS, True),
        (event("push", paths=("deploy/values/a.yaml",)), PINS, False),
        (event("issue_comment", "created"), "on: {issue_comment: {types: [created]}}", True),
        (event("issue_comment", "edited"), "on: {issue_comment: {types: [created]}}", False),
        (event("pull_request", "labeled"), "on: pull_request", False),
        (event("pull_request", "opened"), "on: [pull_request]", True),
        (
            event("repository_dispatch", "stagegate-release"),
            "on: {repository_dispatch: {types: [stagegate-release]}}",
            True,
        ),
        (
            event("repository_dispatch", "other"),
            "on: {repository_dispatch: {types: [stagegate-release]}}",
            False,
        ),
        (event("workflow_dispatch", workflow=".github/workflows/w.yml"), "on: {workflow_dispatch: }", True),
        (
            event("workflow_dispatch", workflow=".github/workflows/other.yml"),
            "on: {workflow_dispatch: }",
            False,
        ),
    ],
)
def test_each_filter_starts_the_workflows_that_github_would_start(
    happening: Event, on: str, starts: bool
) -> None:
    assert started(happening, {"w.yml": f"{on}\njobs: {{}}\n"}) == (["w.yml"] if starts else [])
