"""The road with charts in a second registry that wants Basic auth, on runners with another label, with a notification."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab import act
from lab.demo.road import feature
from lab.lab import Lab
from lab.layouts import APART
from tests.clients.answering import Answer, answering

pytestmark = pytest.mark.road


NOTIFY = "\nnotify: {channels: [{kind: slack, url: SLACK_URL}]}\n"


def test_a_release_reaches_staging_through_two_registries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Lab(tmp_path, layout=APART) as lab, answering(lambda _: Answer()) as slack:
        secrets, variables = lab.secrets, lab.variables

        def with_address(repository: str = "") -> dict[str, dict[str, str]]:
            given = secrets(repository)
            line = f"\nSLACK_URL=http://{slack.host}/hook"
            return {
                name: {**values, "STAGEGATE_VARIABLES": values.get("STAGEGATE_VARIABLES", "") + line}
                for name, values in given.items()
            }

        def with_host() -> dict[str, dict[str, str]]:
            given = {"stagegate": {}, **variables()}
            hosts = {
                name: f"{values.get('STAGEGATE_HOSTS', '')} {slack.host}" for name, values in given.items()
            }
            return {name: {**values, "STAGEGATE_HOSTS": hosts[name]} for name, values in given.items()}

        monkeypatch.setattr(lab, "secrets", with_address)
        monkeypatch.setattr(lab, "variables", with_host)
        lab.push("octo-admin", "chore: tell people", {"stagegate.yaml": lambda text: text + NOTIFY})
        lab.adopt()
        feature(lab)
        runs = lab.settle()
        failed = [line for run in runs if run.code for line in act.failures(run.text.splitlines())]
        assert {run.code for run in runs} == {0}, failed
        assert lab.ask("staging")["version"] == "1.1.0"
        assert [pull["head"]["ref"] for pull in lab.pulls()] == ["stagegate/promote/shop/prod"]
        assert lab.registry.digest("acme/shop", "v1.1.0")
        assert lab.charts.host != lab.registry.host
        files = lab.shop.read("main", ".github/workflows/release.yml").decode()
        assert act.OTHER_RUNNER in files
        told = [json.loads(one.body)["blocks"][0]["text"]["text"] for one in slack.asked]
        assert told == ["Proposal: shop 1.1.0 in prod"]
