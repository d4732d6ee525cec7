"""A run of act succeeds only if act ran every job."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lab import act

WORKFLOW = """\
on: workflow_dispatch
jobs:
  first:
    runs-on: ubuntu-latest
    steps:
      - run: test "$GREETING" = hello && test -z "${LEAKED:-}"
        shell: bash
  second:
    runs-on: SECOND
    steps:
      - run: 'true'
        shell: bash
"""


@pytest.mark.parametrize(("label", "code"), [("ubuntu-24.04", 0), ("windows-2025", 1)])
def test_a_job_that_act_would_skip_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, label: str, code: int
) -> None:
    monkeypatch.setenv("LEAKED", "from this machine")
    clone = tmp_path / "clone"
    (clone / ".github" / "workflows").mkdir(parents=True)
    (clone / ".github" / "workflows" / "w.yml").write_text(WORKFLOW.replace("SECOND", label))
    identity = {
        f"GIT_{who}_{what}": "octo-dev" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    for command in (
        ("init", "-q"),
        ("add", "."),
        ("commit", "-qm", "x"),
        ("remote", "add", "origin", "http://127.0.0.1/a/b"),
    ):
        subprocess.run(["git", *command], cwd=clone, check=True, env={**os.environ, **identity})
    seen = act.run(
        workflow="w.yml", event="workflow_dispatch", payload={}, clone=clone, home=tmp_path / "home", log=tmp_path / "log.txt",
        actor="octo-dev", token="t0ken-of-this-test", environ={"GREETING": "hello"}, variables={}, secrets={}, repositories={},
        path=os.environ["PATH"],
    )  # fmt: skip
    log = (tmp_path / "log.txt").read_text()
    assert seen == code, log
    assert (act.SKIPPED in log) == bool(code)
    assert not list(tmp_path.glob("*.secrets"))
