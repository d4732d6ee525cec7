"""A release that fails its gate in staging is taken back by the same run, and held there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lab import demo
from lab.lab import Lab

pytestmark = pytest.mark.road
GATE = "timeout: 20m, settle: 3s}"


def test_a_failed_gate_takes_its_release_back_and_holds_it(tmp_path: Path) -> None:
    with Lab(tmp_path / "lab") as lab:

        def goes_back(text: str) -> str:
            assert GATE in text
            return text.replace(GATE, GATE.replace("}", ", on-failure: rollback}"), 1)

        lab.push("octo-lead", "chore: go back by itself", {"stagegate.yaml": goes_back})
        demo._feature(lab)
        assert {run.workflow: run.code for run in lab.settle()}["release.yml"] == 0
        demo._defect(lab)
        runs = lab.settle()
        release = next(run for run in runs if run.workflow == "release.yml")
        assert release.code == 1
        assert "Rollback: shop 1.1.1 -> 1.1.0 is committed for staging" in release.text
        assert {run.code for run in runs if run.workflow == "production.yml"} == {0}  # 1.1.0 is proven again
        assert (lab.ask("staging")["version"], lab.ask("prod")["version"]) == ("1.1.0", "1.0.0")
        mark = json.loads(lab.shop.read("stagegate/hold/shop/staging", "mark.json"))
        assert (mark["kind"], mark["to"]) == ("rollback", "1.1.0")
        log = subprocess.run(
            ["git", "log", "-1", "--format=%s", "main"],
            cwd=lab.shop.path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert log.stdout == "chore(staging): roll back shop to 1.1.0\n"
        lab.dispatch("promote.yml", environment="staging", version="1.1.1")
        assert lab.runs[-1].code == 1
        assert "promote-pr%3A held-back" in lab.runs[-1].text
        assert lab.ask("staging")["version"] == "1.1.0"
