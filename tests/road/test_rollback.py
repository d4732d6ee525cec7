"""The run of a gate rolls back a failed release, and one without evidence, and sets a hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from lab.demo import road
from lab.lab import Lab

pytestmark = pytest.mark.road
BUDGET = 199  # requests of two rollbacks, the first day and the release before them, without comparisons of commits
PROD = "deploy/argocd/prod.yaml"


def test_a_failed_release_is_rolled_back_and_held(tmp_path: Path) -> None:
    with Lab(tmp_path / "lab") as lab:

        def goes_back(text: str) -> str:
            assert "settle: 2s}" in text  # prod has it already
            return text.replace("settle: 2s}", "settle: 1s, on-failure: rollback}").replace(
                "settle: 3s", "settle: 1s"
            )

        adopted = lab.dispatch("stagegate.yml")  # the first day: what runs is recorded, untested
        assert {run.code for run in adopted} == {0}
        lab.push("octo-lead", "chore: go back by itself", {"stagegate.yaml": goes_back})
        assert {run.code for run in lab.settle()} == {0}
        road.defect(lab)
        runs = lab.settle()
        release = next(run for run in runs if run.workflow == "release.yml")
        assert release.code == 1
        assert "Rollback: shop 1.0.1 -> 1.0.0 is committed for staging" in release.text
        assert {run.code for run in runs if run.workflow == "stagegate.yml"} == {0}
        assert (lab.ask("staging")["version"], lab.ask("prod")["version"]) == ("1.0.0", "1.0.0")
        mark = json.loads(lab.shop.read("stagegate/hold/shop/staging", "mark.json"))
        assert (mark["kind"], mark["to"]) == ("rollback", "1.0.0")
        assert lab.shop.log("main")[0].headline == "chore(staging): roll back shop to 1.0.0"
        told = lab.local("octo-dev", "promote_pr", "--environment", "staging", "--version", "1.0.1")
        assert told["reason"] == "held-back"

        # The same release comes into prod by somebody's hand.
        lab.push("octo-dev", "chore: it is fine", {PROD: lambda text: text.replace("1.0.0", "1.0.1")})
        (run,) = [run for run in lab.settle() if run.workflow == "stagegate.yml"]
        assert run.code == 1
        assert "prod is pinned to 1.0.1, which has no passing evidence" in run.text
        assert status(lab, "v1.0.1", "stagegate/shop/prod") == "none"
        (pull,) = lab.pulls()
        assert pull["head"]["ref"] == "stagegate/rollback/shop/prod"
        assert status(lab, pull["head"]["sha"], "stagegate/pins") == "success"
        lab.merge(pull["number"])
        assert {run.code for run in lab.settle()} == {0}
        assert (lab.ask("prod")["version"], status(lab, "v1.0.0", "stagegate/shop/prod")) == (
            "1.0.0",
            "success",
        )
        with pytest.raises(requests.HTTPError, match="404"):
            lab.api("octo-dev", "GET", "/releases/tags/v1.0.1")
        asked = [call for call in lab.forge.calls if call.agent.startswith("stagegate")]
        # A gate compares each revision that Argo CD shows on its way: how many depends on the machine.
        asked = [call for call in asked if "/compare/" not in call.path]
        assert len(asked) <= BUDGET, "requests of ours to REST and GraphQL"


def status(lab: Lab, ref: str, context: str) -> str:
    """The newest state of a status on a commit."""
    found = lab.api("octo-lead", "GET", f"/commits/{ref}/statuses?per_page=100")
    return next((s["state"] for s in found if s["context"] == context), "none")
