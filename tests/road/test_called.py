"""Every workflow of the toolkit under act, called by a file of its own as examples/called does."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import act
from lab.act import ActRun
from lab.lab import Lab
from lab.layouts import CALLED
from lab.servers import lines

pytestmark = pytest.mark.road


def ended(runs: list[ActRun], workflow: str) -> int:
    """The exit code of the one run of a workflow; what failed in it is printed."""
    (run,) = [run for run in runs if run.workflow == workflow]
    print("\n".join(act.failures(run.text.splitlines())))  # noqa: T201  for whoever reads a failed test
    return run.code


def statuses(lab: Lab, ref: str) -> dict[str, tuple[str, str]]:
    """Newest state and description of every status."""
    found: dict[str, tuple[str, str]] = {}
    for status in lab.api("octo-lead", "GET", f"/commits/{ref}/statuses?per_page=100"):
        found.setdefault(status["context"], (status["state"], status["description"]))
    return found


def test_the_called_workflows_adopt_look_and_gate_a_change_of_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Lab(tmp_path, layout=CALLED) as lab:
        assert ended(lab.dispatch("production.yml", mode="adopt"), "production.yml") == 0
        adopted = ("success", "1.0.0 adopted by octo-dev")
        assert statuses(lab, "v1.0.0") == {
            "stagegate/shop/staging": adopted,
            "stagegate/shop/prod": adopted,
        }
        assert lab.api("octo-lead", "GET", "/releases") == [], "an untested release is not published"

        assert ended(lab.dispatch("e2e-tests.yml", environment="staging"), "e2e-tests.yml") == 0
        looked = lab.api("octo-lead", "GET", "/deployments?environment=staging")[0]["payload"]
        assert (looked["kind"], looked["outcome"]) == ("look", "passed")
        assert {"login", "query"} <= {check["name"] for check in looked["checks"]}

        def more(text: str) -> str:
            return text + "\n# asked for more\n"

        lab.push("octo-lead", "chore: more", {"deploy/values/prod.yaml": more})
        assert ended(lab.settle(), "production.yml") == 0
        assert statuses(lab, "v1.0.0")["stagegate/shop/prod"] == ("success", "1.0.0 passed: 1 check")
        assert [found["tag_name"] for found in lab.api("octo-lead", "GET", "/releases")] == ["v1.0.0"]

        # A problem that the look finds fails the run.
        values = {**lab.scenario_variables("staging"), "SHOP_PASSWORD": "somebody changed it"}
        broken = {**lab.secrets(), "staging": {"STAGEGATE_VARIABLES": lines(values)}}
        with monkeypatch.context() as patched:
            patched.setattr(lab, "secrets", lambda _: broken)
            assert ended(lab.dispatch("e2e-tests.yml", environment="staging"), "e2e-tests.yml") == 1
        assert statuses(lab, "v1.0.0")["stagegate/shop/staging"][0] == "success", "a look never revokes"

        # By hand, by comment, by a person's own pull request and by a review.
        assert (
            ended(
                lab.dispatch("promote.yml", mode="hold", environment="prod", reason="an audit"), "promote.yml"
            )
            == 0
        )
        number = lab.api("octo-lead", "POST", "/issues", title="talk")["number"]
        lab.api("octo-lead", "POST", f"/issues/{number}/comments", body="/unhold prod")
        assert ended(lab.settle(), "commands.yml") == 0
        lab.api("octo-dev", "POST", "/git/refs", ref="refs/heads/mine", sha=lab.shop.head("main"))
        lab.push("octo-dev", "chore: a word", {"deploy/values/prod.yaml": more}, "mine")
        lab.settle()
        pull = lab.api("octo-dev", "POST", "/pulls", title="a word", head="mine", base="main")
        runs = lab.settle()
        assert (ended(runs, "pin-guard.yml"), ended(runs, "chart-checks.yml")) == (0, 0)
        assert statuses(lab, pull["head"]["sha"])["stagegate/pins"][0] == "success"
        lab.api("octo-lead", "POST", f"/pulls/{pull['number']}/reviews", event="APPROVE")
        runs = lab.settle()
        assert [(run.workflow, run.code) for run in runs] == [("approval.yml", 0), ("approved.yml", 0)]
