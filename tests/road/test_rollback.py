"""A release that fails its gate in staging is taken back by the same run, and held there."""

from __future__ import annotations

import json
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
        adopted = lab.dispatch(
            "production.yml", mode="adopt"
        )  # the first day: what runs is recorded, untested
        assert {run.code for run in adopted} == {0}
        demo._defect(lab)
        runs = lab.settle()
        release = next(run for run in runs if run.workflow == "release.yml")
        assert release.code == 1
        assert "Rollback: shop 1.0.1 -> 1.0.0 is committed for staging" in release.text
        assert {run.code for run in runs if run.workflow == "production.yml"} == {0}
        assert (lab.ask("staging")["version"], lab.ask("prod")["version"]) == ("1.0.0", "1.0.0")
        mark = json.loads(lab.shop.read("stagegate/hold/shop/staging", "mark.json"))
        assert (mark["kind"], mark["to"]) == ("rollback", "1.0.0")
        assert lab.shop.log("main")[0].headline == "chore(staging): roll back shop to 1.0.0"
        told = lab.local("octo-dev", "promote_pr", "--environment", "staging", "--version", "1.0.1")
        assert told["reason"] == "held-back"
