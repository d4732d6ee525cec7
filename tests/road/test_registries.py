"""The road with charts in a second registry that wants Basic auth, on runners with another label."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import act, demo
from lab.lab import Lab
from lab.layouts import APART

pytestmark = pytest.mark.road


def test_a_release_reaches_staging_through_two_registries(tmp_path: Path) -> None:
    with Lab(tmp_path, layout=APART) as lab:
        lab.adopt()
        demo._feature(lab)
        runs = lab.settle()
        failed = [line for run in runs if run.code for line in act.failures(run.text.splitlines())]
        assert {run.code for run in runs} == {0}, failed
        assert lab.ask("staging")["version"] == "1.1.0"
        assert [pull["head"]["ref"] for pull in lab.pulls()] == ["stagegate/promote/shop/prod"]
        assert lab.registry.digest("acme/shop", "v1.1.0")
        assert lab.charts.host != lab.registry.host
        files = lab.shop.read("main", ".github/workflows/release.yml").decode()
        assert act.OTHER_RUNNER in files
