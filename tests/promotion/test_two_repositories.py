"""App and pins in two repositories: the keys of each file, and a message that names a missing token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from stagegate.actions import pin_guard, pr_command, status_report
from stagegate.runner.boundary import entrypoint
from tests.promotion.shop_world import RIGHTS, Shop, shop
from tests.promotion.steps import promote_pr

POLICY = "apps/shop/stagegate.yaml"


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    with shop(tmp_path, host) as made:
        made.split()
        yield made


def promote(world: Shop, **inputs: str) -> tuple[int, str]:
    """Staging to 1.1.0 from the pins repository; exit code and reason."""
    given = {"config": POLICY, "pins_token": world.pins_token, "verify_workflow": "none", **inputs}
    environ = world.environ(environment="staging", version="1.1.0", **given)
    environ |= {"GITHUB_REPOSITORY": "acme/gitops"}
    return promote_pr(environ), world.outputs()["reason"]


def policy(world: Shop, old: str, new: str) -> None:
    """Change the settings of the pins repository, in the checkout too."""
    text = world.gitops.read("main", POLICY).decode()
    assert old in text
    world.gitops.seed({POLICY: text.replace(old, new)})
    (world.folder / POLICY).write_text(text.replace(old, new))


def test_the_apps_file_may_be_anywhere_and_names_the_tag_prefix(world: Shop) -> None:
    own = world.repo.read("main", "stagegate.yaml").decode()
    prefixed = f"{own}version: {{tag-prefix: shop-v}}\n"
    world.repo.seed({"stagegate.yaml": None, "services/shop/stagegate.yaml": prefixed})
    policy(world, "source: acme/shop", "source: acme/shop//services/shop/stagegate.yaml")
    assert promote(world) == (2, "bad-input"), "there is no tag shop-v1.1.0"
    world.repo.store.git("update-ref", "refs/tags/shop-v1.1.0", world.commits["1.1.0"])
    assert promote(world) == (0, "committed")


def test_a_registry_outside_the_policy_gets_no_request(
    world: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    own = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({"stagegate.yaml": own.replace(f"oci://{world.host}/", "oci://127.0.0.1:1/")})
    assert promote(world, registry_username="octo-dev", registry_password="a-password") == (2, "wrong-source")
    assert "127.0.0.1:1" in capsys.readouterr().out
    policy(world, f"images: [{world.host}/acme/shop]\n", "")
    assert promote(world) == (2, "wrong-source")


@pytest.mark.parametrize("private", [False, True])
def test_a_job_without_the_pins_token_is_told_what_to_pass(
    world: Shop, capsys: pytest.CaptureFixture[str], private: bool
) -> None:
    world.repo.private = private
    own = world.forge.token("", "actions", repositories=["acme/gitops"], permissions=RIGHTS)
    assert promote(world, token=own, pins_token="") == (2, "missing-permission")
    assert "acme/gitops" in capsys.readouterr().out
    before = world.gitops.head("main")
    code, reason = promote(world, token=own)
    said = capsys.readouterr().out
    assert (code, reason) == ((2, "missing-permission") if private else (0, "committed"))
    if private:
        assert "acme/shop" in said
        assert world.gitops.head("main") == before


def ask(world: Shop, method: str, path: str, **fields: object) -> Any:
    """A REST call of the lead in the pins repository."""
    answer = requests.request(
        method,
        f"{world.forge.url}/repos/acme/gitops{path}",
        json=fields or None,
        headers={"Authorization": f"Bearer {world.forge.token('octo-lead')}"},
        timeout=10,
    )
    answer.raise_for_status()
    return answer.json()


def test_commands_and_pin_guard_run_in_the_pins_repository(world: Shop) -> None:
    assert promote(world) == (0, "committed")
    world.passed("1.1.0")
    number = ask(world, "POST", "/issues", title="talk")["number"]
    ask(world, "POST", f"/issues/{number}/comments", body="/promote prod")
    told = [event for event in world.forge.events if event.name == "issue_comment"][-1]
    (world.folder / "event.json").write_text(json.dumps(told.payload))
    before = world.repo.head("main")
    tokens = {"config": "apps/*/stagegate.yaml", "pins_token": world.pins_token}
    environ = world.environ(**tokens) | {
        "GITHUB_REPOSITORY": "acme/gitops",
        "GITHUB_EVENT_NAME": "issue_comment",
        "GITHUB_EVENT_PATH": str(world.folder / "event.json"),
    }
    assert entrypoint("pr-command", pr_command.PrCommand, pr_command.main, argv=[], environ=environ) == 0
    assert world.outputs()["reason"] == "proposed"
    (pull,) = ask(world, "GET", "/pulls?state=open")
    said = ask(world, "GET", f"/issues/{number}/comments")
    assert f"pull/{pull['number']}" in said[-1]["body"]

    world.gitops.seed({"deploy/prod.yaml": world.gitops.read("main", "deploy/prod.yaml") + b"# moved on\n"})
    environ |= {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_EVENT_PATH": ""}
    assert entrypoint("pin-guard", pin_guard.PinGuard, pin_guard.main, argv=[], environ=environ) == 0
    status = ask(world, "GET", f"/commits/{pull['head']['sha']}/statuses")[0]
    assert (status["context"], status["state"]) == ("stagegate/pins", "success")
    assert world.repo.head("main") == before
    assert world.hub().refs("refs/heads/stagegate/") == {}


def test_the_status_joins_what_both_repositories_know(world: Shop) -> None:
    assert promote(world) == (0, "committed")
    world.passed("1.1.0")
    environ = world.environ(config=POLICY, pins_token=world.pins_token, data="status.json")
    environ |= {"GITHUB_REPOSITORY": "acme/gitops"}
    kind, main = status_report.StatusInputs, status_report.main
    assert entrypoint("status-report", kind, main, argv=[], environ=environ) == 0
    (app,) = json.loads((world.folder / "status.json").read_bytes())["apps"]
    staging, prod = app["environments"]
    assert (staging["version"], staging["gate"]) == ("1.1.0", "passed")
    assert prod["next_version"] == "1.1.0"
    release = next(one for one in app["releases"] if one["version"] == "1.1.0")
    steps = {step["name"]: step["url"] for step in release["steps"]}
    assert "/acme/shop/commit/" in steps["committed"] and "/acme/gitops/commit/" in steps["promoted"]
