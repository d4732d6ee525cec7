"""The workflows that init writes call the reusable ones with their inputs, secrets and permissions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.setup.bare_repositories import ALL, commit, write
from tests.setup.test_init import alone, run

ROOT = Path(__file__).resolve().parents[2]
LEVELS = ("none", "read", "write")
CASES = {
    **{name: (name, ()) for name in ALL},
    "with an App": ("image-only", ("--app", "mailer-gate")),
    "code beside pins elsewhere": ("", ("--policy", "acme/gitops//apps/shop/stagegate.yaml")),
    "another registry": (
        "",
        ("--policy", "acme/gitops//stagegate.yaml", "--registry", "registry.acme.example/x"),
    ),
}


def reusable(name: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows" / name).read_text())
    return loaded


def needed(workflow: dict[Any, Any]) -> dict[str, str]:
    """The permissions that the jobs of a workflow need together."""
    found: dict[str, str] = {}
    for job in workflow["jobs"].values():
        for name, level in (job.get("permissions") or {}).items():
            found[name] = max(found.get(name, "none"), level, key=LEVELS.index)
    return found


@pytest.fixture(params=CASES)
def written(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, dict[Any, Any]]:
    """The workflows of an adopted repository by file name."""
    name, flags = CASES[request.param]
    if name:
        ALL[name](tmp_path)
    else:
        write(tmp_path, {"Dockerfile": "FROM scratch\n", "main.go": "package main\n"})
        commit(tmp_path, "acme/shop")
    alone(monkeypatch, tmp_path)
    assert run("--yes", *flags) == 0
    files = (tmp_path / ".github/workflows").iterdir()
    return {path.name: yaml.safe_load(path.read_text()) for path in files}


def test_every_call_passes_the_inputs_and_secrets_of_the_called_file(
    written: dict[str, dict[Any, Any]],
) -> None:
    calls = [
        (file, job)
        for file, workflow in written.items()
        for job in workflow["jobs"].values()
        if "uses" in job
    ]
    assert calls
    for file, job in calls:
        called = reusable(job["uses"].partition("@")[0].rpartition("/")[2])
        takes = called[True]["workflow_call"]
        inputs, secrets = takes.get("inputs") or {}, takes.get("secrets") or {}
        assert set(job.get("with") or {}) <= set(inputs), file
        assert {name for name, one in inputs.items() if one.get("required")} <= set(job.get("with") or {}), (
            file
        )
        assert set(job.get("secrets") or {}) <= set(secrets), file
        assert job["permissions"] == needed(called), (file, job["uses"])


def test_every_used_output_exists(written: dict[str, dict[Any, Any]]) -> None:
    for workflow in written.values():
        jobs = workflow["jobs"]
        for name, output in re.findall(r"needs\.(\w+)\.outputs\.(\w+)", yaml.safe_dump(workflow)):
            job = jobs[name]
            has = (
                reusable(job["uses"].partition("@")[0].rpartition("/")[2])[True]["workflow_call"]["outputs"]
                if "uses" in job
                else job["outputs"]
            )
            assert output in has


def test_no_text_is_interpolated_into_a_shell(written: dict[str, dict[Any, Any]]) -> None:
    for workflow in written.values():
        assert workflow["permissions"] == {}
        for job in workflow["jobs"].values():
            for step in job.get("steps", ()):
                assert "${{" not in step.get("run", "")
                assert re.fullmatch(r"[^@]+@[0-9a-f]{40}", step.get("uses", "a@" + "0" * 40))
