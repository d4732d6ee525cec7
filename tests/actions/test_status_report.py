"""status-report as a step: it writes the page from Git and GitHub, and a fact that cannot be read is unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stagegate import cli
from stagegate.actions import status_report
from stagegate.comment import parse
from stagegate.evidence import milestones
from stagegate.promotion.status import history, stuck
from stagegate.runner.boundary import entrypoint
from tests.promotion.shop_world import RIGHTS, Shop
from tests.promotion.steps import promote_pr

DAY = 24 * 3600


def report(world: Shop, **inputs: str) -> tuple[int, dict[str, str]]:
    """One step; its exit code and outputs."""
    environ = world.environ(data="status.json", **inputs)
    code = entrypoint(
        "status-report", status_report.StatusInputs, status_report.main, argv=[], environ=environ
    )
    return code, world.outputs()


def shown(world: Shop, **inputs: str) -> dict[str, Any]:
    """The one app of the document."""
    report(world, **inputs)
    (app,) = json.loads((world.folder / "status.json").read_bytes())["apps"]
    return dict(app)


def place(world: Shop, name: str) -> dict[str, Any]:
    app = shown(world)
    return next(dict(one) for one in app["environments"] if one["name"] == name)


def promote(world: Shop, **inputs: str) -> dict[str, str]:
    promote_pr(world.environ(**inputs))
    return world.outputs()


def test_the_road_of_a_release_from_commit_to_production(world: Shop) -> None:
    for milestone in milestones.MILESTONES:
        run = f"https://github.example/actions/runs/{milestone}"
        milestones.record(world.hub(), world.commits["1.1.0"], "shop", "1.1.0", milestone, run)
    promote(world, environment="staging", version="1.1.0")
    world.passed("1.1.0")
    found = place(world, "prod")
    assert (found["version"], found["next_version"]) == ("1.0.0", "1.1.0")
    assert found["command"] == "/promote shop/prod 1.1.0"
    number = int(promote(world, environment="prod")["pr-number"])
    found = place(world, "prod")
    assert (found["promotion"]["number"], found["promotion"]["version"]) == (number, "1.1.0")
    assert (found["promotion"]["state"], found["next"]) == ("success", f"Merge #{number}.")
    world.forge.advance(2 * 3600)
    world.merge(number)
    world.forge.advance(600)
    world.passed("1.1.0", "prod")

    app = shown(world)
    staging, prod = app["environments"]
    assert (prod["version"], prod["gate"], prod["attention"]) == ("1.1.0", "passed", "good")
    assert staging["gate"] == "passed"
    assert staging["stuck"].startswith("1.3.0-rc.1 was tagged"), "nothing built it, and an hour has passed"
    release = next(one for one in app["releases"] if one["version"] == "1.1.0")
    steps = [f"{step['name']} {step['environment']}".strip() for step in release["steps"]]
    assert steps == [
        "committed", "tagged", "built", "published", "promoted staging", "gate staging", "proposed prod",
        "promoted prod", "gate prod",
    ]  # fmt: skip
    assert [step["url"].rpartition("/")[2] for step in release["steps"][2:4]] == ["built", "published"]
    assert [step["at"] for step in release["steps"]] == sorted(step["at"] for step in release["steps"])
    spent = {f"{one['name']} {one['environment']}".strip(): one["seconds"] for one in release["phases"]}
    assert spent["approval prod"] >= 2 * 3600
    assert spent["soak prod"] == spent["freeze prod"] == 0
    assert 600 <= spent["roll-out prod"] < 3600
    assert app["flow"]["deployments"] == 1
    assert app["flow"]["failure_rate"] == 0


def test_a_commit_is_found_in_the_release_that_brought_it(world: Shop) -> None:
    later = world.repo.seed({"app.py": "print()\n"}, "feat: not released yet")
    app = shown(world)
    by_version = {one["version"]: [c["subject"] for c in one["commits"]] for one in app["releases"]}
    assert by_version["1.1.0"] == ["feat: what 1.1.0 brings"]
    assert by_version["1.2.0"] == ["feat: what 1.2.0 brings"]
    assert later in [one["sha"] for one in app["unreleased"]]
    assert all(later != c["sha"] for one in app["releases"] for c in one["commits"])


def test_a_state_that_needs_a_person_names_the_command(world: Shop) -> None:
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0", outcome="failed", reason="checks-failed")
    found = place(world, "staging")
    assert (found["attention"], found["gate"]) == ("failed", "failed")
    assert found["command"] == "/rollback shop/staging"
    promote(world, mode="hold", environment="prod", reason="stock-taking")
    found = place(world, "prod")
    assert (found["attention"], found["command"]) == ("held", "/unhold shop/prod")
    assert "by octo-lead: stock-taking" in found["hold"]
    promote(world, mode="ban", version="1.1.0", reason="it loses orders")
    app = shown(world)
    assert app["bans"] == ["1.1.0 is banned by octo-lead: it loses orders"]
    assert "banned" in app["environments"][0]["stuck"]


def test_the_parser_accepts_every_command_that_is_shown(world: Shop) -> None:
    world.passed("1.1.0")
    commands = [place(world, "prod")["command"]]
    world.passed("1.0.0", "prod", outcome="failed", reason="checks-failed")
    commands.append(place(world, "prod")["command"])
    promote(world, mode="hold", environment="staging", reason="stock-taking")
    commands.append(place(world, "staging")["command"])
    assert [parse.parse(command).name for command in commands] == ["promote", "rollback", "unhold"]


def test_a_version_without_a_gate_is_not_good(world: Shop) -> None:
    world.seed_pin("prod", "1.1.0")
    found = place(world, "prod")
    assert (found["gate"], found["attention"]) == ("none", "unproven")


def test_a_running_gate_is_shown_and_one_that_never_ended_is_stuck(world: Shop) -> None:
    world.hub().set_status(
        world.commits["1.0.0"], "stagegate/shop/prod", "pending", "run 7 is at work", "https://x.example/7"
    )
    found = place(world, "prod")
    assert (found["gate"], found["gate_url"]) == ("running", "https://x.example/7")
    world.forge.advance(DAY)
    found = place(world, "prod")
    assert "has not ended" in found["stuck"]
    world.hub().set_status(world.commits["1.0.0"], "stagegate/shop/prod", "error", "Argo CD did not respond")
    assert place(world, "prod")["attention"] == "unknown"


def test_a_status_of_another_account_shows_no_running_gate(world: Shop) -> None:
    stranger = world.hub(world.forge.token("octo-dev"))
    stranger.set_status(world.commits["1.0.0"], "stagegate/shop/prod", "pending", "mine")
    assert place(world, "prod")["gate"] == "none"


def test_a_look_that_found_other_software_is_drift_and_fails_the_step(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.forge.advance(60)
    world.passed("1.0.0", "prod", kind="look", outcome="failed", reason="checks-failed")
    found = place(world, "prod")
    assert (found["attention"], found["drift"]) == ("failed", "")
    assert report(world, fail_on="drift")[1]["failing"] == "0"
    world.forge.advance(60)
    world.passed("1.0.0", "prod", kind="look", outcome="failed", reason="content-differs")
    found = place(world, "prod")
    assert found["attention"] == "drift"
    code, outputs = report(world, fail_on="drift, stuck")
    assert (code, outputs["reason"], outputs["failing"]) == (1, "findings", "1")
    finding = world.report()["findings"][0]
    assert (finding["rule"], finding["environment"]) == ("drift", "prod")
    world.forge.advance(60)
    world.passed("1.0.0", "prod", kind="look")
    assert place(world, "prod")["drift"] == ""


def test_a_ready_release_without_a_proposal_is_stuck_after_an_hour(world: Shop) -> None:
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")
    world.passed("1.0.0", "prod")
    assert place(world, "prod")["stuck"] == ""
    world.forge.advance(int(stuck.GRACE.total_seconds()) + 60)
    found = place(world, "prod")
    assert found["stuck"].startswith("1.1.0 passed in staging") and found["attention"] == "stuck"
    promote(world, environment="prod")
    assert place(world, "prod")["stuck"] == ""
    world.forge.advance(8 * DAY)
    assert "has been ready to merge since" in place(world, "prod")["stuck"]


@pytest.mark.parametrize("missing", ["statuses", "pull_requests", "deployments", "contents"])
def test_a_fact_without_permission_is_unknown_and_never_good(world: Shop, missing: str) -> None:
    world.passed("1.0.0", "prod")
    rights = {name: level for name, level in RIGHTS.items() if name != missing}
    world.forge.world.repositories["acme/shop"].private = True
    poor = world.forge.token("", "actions", repositories=["acme/shop"], permissions=rights)
    code, outputs = report(world, token=poor, fail_on="drift")
    if missing == "contents":  # without the settings there is no app to name
        assert code != 0
        return
    (app,) = json.loads((world.folder / "status.json").read_bytes())["apps"]
    assert app["trouble"] or all(one["attention"] == "unknown" for one in app["environments"])
    assert (code, outputs["reason"]) == (3, "unknown-state")


def test_the_number_of_requests_does_not_grow_with_releases(world: Shop) -> None:
    def calls() -> int:
        before = len(world.forge.calls)
        report(world)
        return len(world.forge.calls) - before

    world.passed("1.0.0", "prod")
    world.passed("1.0.0")
    few = calls()
    for _ in range(12):
        world.passed("1.1.0")
        world.passed("1.0.0", "prod")
    for number in range(40):
        world.repo.seed({"app.py": f"{number}\n"}, f"fix: {number}")
    assert calls() == few


def test_page_badges_and_summary_are_written(world: Shop) -> None:
    code, outputs = report(world, html="public/index.html", badges="public")
    assert (code, outputs["reason"], outputs["page"]) == (0, "reported", "public/index.html")
    page = (world.folder / "public/index.html").read_text()
    assert "Where is my commit?" in page
    assert {path.name for path in (world.folder / "public").glob("*.svg")} == {
        "shop-staging.svg",
        "shop-prod.svg",
    }
    assert "```mermaid" in (world.folder / "summary.md").read_text()
    assert not [call for call in world.forge.calls if call.write and "graphql" not in call.path][
        -1:
    ]  # reads only


def test_the_command_prints_a_table_or_the_document(
    world: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.passed("1.0.0", "prod")
    for name, value in world.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    monkeypatch.setenv(
        "RUNNER_TEMP", str(world.folder / "temp")
    )  # restored afterwards: the command changes it
    assert cli.main(["status", "--json"]) == 0
    (app,) = json.loads(capsys.readouterr().out)["apps"]
    assert [one["name"] for one in app["environments"]] == ["staging", "prod"]
    assert cli.main(["status", "--html", "status.html"]) == 0
    assert "shop  prod         1.0.0" in capsys.readouterr().out
    assert (world.folder / "status.html").is_file()


def test_an_unknown_state_in_fail_on_is_refused(world: Shop) -> None:
    assert report(world, fail_on="everything")[1]["reason"] == "bad-input"


def test_a_file_outside_the_workspace_is_refused(world: Shop, tmp_path: Path) -> None:
    assert report(world, html="../page.html")[1]["reason"] == "bad-input"
    assert not (tmp_path.parent / "page.html").exists()


def test_a_tag_of_another_app_is_no_release() -> None:
    assert history.is_release("v1.2.0", "v")
    assert not history.is_release("vendor-1.2.0", "v")
