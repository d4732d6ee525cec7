"""The road with app and pins in two repositories, from a commit to a verified production, under act."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lab import act
from lab.lab import Lab
from lab.layouts import ROBOT, TWO

pytestmark = pytest.mark.road
POLICY = "apps/shop/stagegate.yaml"


def settle_sooner(text: str) -> str:
    return re.sub(r"settle: \d+s", "settle: 1s", text)


def sell_tea(text: str) -> str:
    bag = '    Product("bag-01"'
    assert bag in text
    return text.replace(bag, f'    Product("tea-01", "Green tea", 450),\n{bag}', 1)


def settled(lab: Lab) -> list[tuple[str, str]]:
    """Run all workflows until none is left; (event, workflow) of every run, all of which must succeed."""
    runs = lab.settle()
    failed = [line for run in runs if run.code for line in act.failures(run.text.splitlines())]
    assert not failed and not any(run.code for run in runs), failed
    return [(run.event, run.workflow) for run in runs]


def gates(lab: Lab, tag: str) -> dict[str, tuple[str, str]]:
    """Newest state and author of every gate's status on a release's commit, built and published left out."""
    newest: dict[str, tuple[str, str]] = {}
    for status in lab.api("octo-lead", "GET", f"/commits/{tag}/statuses?per_page=100"):
        newest.setdefault(status["context"], (status["state"], status["creator"]["login"]))
    return {name: verdict for name, verdict in newest.items() if "/release/" not in name}


def branches(lab: Lab, repository: str) -> set[str]:
    refs: list[Any] = lab.api("octo-lead", "GET", "/git/matching-refs/heads/", repository)
    return {str(ref["ref"]).removeprefix("refs/heads/") for ref in refs}


def test_a_release_crosses_from_the_app_to_the_pins_and_back(tmp_path: Path) -> None:
    with Lab(tmp_path, layout=TWO) as lab:
        lab.adopt()
        lab.push("octo-lead", "chore: settle sooner", {POLICY: settle_sooner}, repository=TWO.pins)
        lab.forge.drain_events()
        pins = lab.pins.head("main")
        lab.push("octo-dev", "feat: sell tea", {"app/catalogue.py": sell_tea})
        assert settled(lab) == [
            ("push", "release.yml"),
            ("workflow_dispatch", "stagegate.yml"),
        ]
        assert [lab.ask(name)["version"] for name in ("staging", "prod")] == ["1.1.0", "1.0.0"]
        assert gates(lab, "v1.1.0") == {"stagegate/shop/staging": ("success", ROBOT)}
        assert branches(lab, TWO.app) == {"main"}, "the app repository has no promotions"
        assert branches(lab, TWO.pins) == {"main", "stagegate/promote/shop/prod"}
        moved = lab.api("octo-lead", "GET", f"/compare/{pins}...main", TWO.pins)
        assert [file["filename"] for file in moved["files"]] == ["apps/shop/argocd/staging.yaml"]
        assert moved["commits"][0]["commit"]["message"].startswith("chore(staging): promote shop to 1.1.0")

        (pull,) = lab.pulls()
        statuses = lab.api("octo-lead", "GET", f"/commits/{pull['head']['sha']}/statuses", TWO.pins)
        assert (statuses[0]["context"], statuses[0]["state"]) == ("stagegate/pins", "success")
        lab.merge(pull["number"])
        assert settled(lab) == [("push", "stagegate.yml")]
        assert lab.ask("prod")["version"] == "1.1.0"
        assert gates(lab, "v1.1.0")["stagegate/shop/prod"] == ("success", ROBOT)
        release = lab.api("octo-lead", "GET", "/releases/tags/v1.1.0")
        assert {asset["name"] for asset in release["assets"]} == {
            "shop-1.1.0.tgz",
            "evidence-staging.json",
            "evidence-prod.json",
            "SHA256SUMS",
        }
        assert not [c for c in lab.forge.calls if c.status in (401, 403) and ".git/" not in c.path]
        assert not lab.forge.unknown_routes
