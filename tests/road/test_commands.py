"""The two workflows of the shop under act: comments, hand-edited pins, pre-release, hotfix.

One lab for all: each test takes the shop a step further, in the order written here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.act import ActRun
from lab.lab import Lab
from lab.servers import SHOP, lines

pytestmark = pytest.mark.road
PROD = "deploy/argocd/prod.yaml"
RELEASE = ".github/workflows/release.yml"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("road")) as made:
        made.adopt()
        yield made


def codes(runs: list[ActRun]) -> dict[str, int]:
    return {run.workflow: run.code for run in runs}


def status(lab: Lab, ref: str, context: str) -> tuple[str, str]:
    found = [s for s in lab.api("octo-lead", "GET", f"/commits/{ref}/statuses") if s["context"] == context]
    return (found[0]["state"], found[0]["description"]) if found else ("none", "")


def talk(lab: Lab, login: str, body: str, number: int = 0) -> tuple[list[ActRun], str]:
    """A person comments; the runs that it started, and the reply."""
    number = number or lab.api("octo-lead", "POST", "/issues", title="talk")["number"]
    lab.settle()
    lab.api(login, "POST", f"/issues/{number}/comments", body=body)
    runs = lab.settle()
    comments = lab.api("octo-lead", "GET", f"/issues/{number}/comments")
    return runs, next((c["body"] for c in reversed(comments) if c["user"]["type"] == "Bot"), "")


def test_a_comment_is_carried_out_or_refused(lab: Lab) -> None:
    runs, said = talk(lab, "octo-dev", "nice shop")
    assert (codes(runs), said) == ({"stagegate.yml": 0}, "")
    runs, said = talk(lab, "octo-reader", "/promote prod 1.1.0")
    assert codes(runs) == {"stagegate.yml": 1}
    assert "not-authorised" in said
    runs, said = talk(lab, "octo-dev", "/hold prod the database moves for 2h")
    assert codes(runs) == {"stagegate.yml": 0}
    assert "marked" in said


def test_a_prerelease_reaches_staging_and_stops(lab: Lab) -> None:
    runs = lab.dispatch("release.yml", bump="1.1.0-rc.1")
    assert codes(runs) == {"release.yml": 0}
    assert lab.ask("staging")["version"] == "1.1.0-rc.1"
    assert status(lab, "v1.1.0-rc.1", "stagegate/shop/staging")[0] == "success"
    assert lab.pulls() == []


def test_a_pin_changed_by_hand_is_judged(lab: Lab) -> None:
    head = lab.shop.head("main")
    lab.api("octo-dev", "POST", "/git/refs", ref="refs/heads/mine", sha=head)
    lab.push("octo-dev", "feat: newer", {PROD: lambda text: text.replace("1.0.0", "1.1.0-rc.1")}, "mine")
    lab.settle()
    pull = lab.api("octo-dev", "POST", "/pulls", title="newer", head="mine", base="main")
    runs = lab.settle()
    assert codes(runs) == {"stagegate.yml": 0}
    state, why = status(lab, pull["head"]["sha"], "stagegate/pins")
    assert (state, "prerelease" in why) == ("failure", True)


def test_a_hotfix_is_recorded_as_untested_and_needs_an_override(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_lane(text: str) -> str:
        return text.replace("      bump: {}\n", "      bump: {}\n      hotfix: {}\n")

    lab.push("octo-admin", "ci: a lane for hotfixes", {RELEASE: with_lane})
    lab.settle()
    values = {**lab.scenario_variables("staging"), "SHOP_PASSWORD": "staging is broken"}
    broken = {**lab.secrets(SHOP), "staging": {"STAGEGATE_VARIABLES": lines(values)}}
    monkeypatch.setattr(lab, "secrets", lambda _: broken)
    runs = lab.dispatch("release.yml", "octo-admin", bump="1.1.0", hotfix="prod is down")
    assert codes(runs)["release.yml"] == 0
    told = lab.api("octo-lead", "GET", "/commits/v1.1.0/statuses")
    skipped = [s for s in told if "prod is down" in s["description"]]
    assert [s["state"] for s in skipped] == ["failure"]
    assert [pull["head"]["ref"] for pull in lab.pulls()] == ["mine"]
    runs, said = talk(lab, "octo-dev", "/override prod 1.1.0 evidence prod is down")
    assert codes(runs) == {"stagegate.yml": 1}
    runs, said = talk(lab, "octo-admin", "/override prod 1.1.0 evidence,hold prod is down for 2h")
    assert (codes(runs), "marked" in said) == ({"stagegate.yml": 0}, True)
    runs, said = talk(lab, "octo-dev", "/promote prod 1.1.0")
    assert codes(runs) == {"stagegate.yml": 0}
    (pull,) = [p for p in lab.pulls() if p["head"]["ref"] == "stagegate/promote/shop/prod"]
    assert pull["html_url"] in said
    state, why = status(lab, pull["head"]["sha"], "stagegate/pins")
    assert (state, "OVERRIDDEN" in why) == ("success", True)


def test_a_merge_is_verified(lab: Lab) -> None:
    (pull,) = [p for p in lab.pulls() if p["head"]["ref"] == "stagegate/promote/shop/prod"]
    lab.merge(pull["number"])
    assert codes(lab.settle()) == {"stagegate.yml": 0}
    assert lab.ask("prod")["version"] == "1.1.0"


def test_a_person_on_call_rolls_back_and_forward_in_three_comments(lab: Lab) -> None:
    """octo-dev has write permission and acts alone, apart from the reviews before each merge."""
    number = lab.api("octo-lead", "POST", "/issues", title="prod is broken")["number"]
    lab.settle()
    runs, said = talk(lab, "octo-dev", "/rollback prod", number)
    assert codes(runs) == {"stagegate.yml": 0}, said
    (pull,) = [p for p in lab.pulls() if p["head"]["ref"] == "stagegate/rollback/shop/prod"]
    lab.merge(pull["number"])
    assert codes(lab.settle()) == {"stagegate.yml": 0}
    assert lab.ask("prod")["version"] == "1.0.0"

    assert codes(lab.dispatch("release.yml", bump="1.1.1"))["release.yml"] == 0  # the fix passes staging
    assert not [p for p in lab.pulls() if p["head"]["ref"] == "stagegate/promote/shop/prod"]
    runs, said = talk(lab, "octo-dev", "/promote prod 1.1.1", number)
    assert (codes(runs), "held-back" in said) == ({"stagegate.yml": 1}, True)
    runs, said = talk(lab, "octo-dev", "/unhold prod", number)
    assert (codes(runs), "unmarked" in said) == ({"stagegate.yml": 0}, True)
    (pull,) = [p for p in lab.pulls() if p["head"]["ref"] == "stagegate/promote/shop/prod"]
    assert pull["title"] == "Promote shop to prod: 1.0.0 → 1.1.1"
    assert status(lab, pull["head"]["sha"], "stagegate/pins")[0] == "success"
