"""Bare repositories release under act by the workflows that `init` wrote, from the push of the adoption on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.road.newcomers import Ground, Newcomer, ground
from tests.setup.bare_repositories import image_only

pytestmark = pytest.mark.road


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("newcomers")) as made:
        yield made


def test_an_app_without_chart_and_version_files_is_released_to_its_first_environment(shared: Ground) -> None:
    with Newcomer(shared, "acme/mailer") as lab:
        lab.have(image_only)
        lab.image("mailer", "v0.4.0", "v0.3.1")
        lab.init("acme/mailer")
        lab.deploy()
        assert lab.settled() == [("push", "release.yml"), ("push", "stagegate.yml")]
        assert not any(run.code for run in lab.dispatch("stagegate.yml"))
        lab.push("octo-dev", "feat: sell tea", {"app/server.py": lambda text: f"{text}# tea\n"})
        assert lab.settled() == [("push", "release.yml"), ("push", "stagegate.yml")]
        released = lab.api("octo-lead", "GET", "/git/ref/tags/v0.5.0")
        assert released and lab.runs_in("mailer-dev").startswith("sha-")
        assert lab.runs_in("mailer-prod") == "v0.3.1"
        assert [pull["title"] for pull in lab.pulls()] == ["Promote mailer to prod: 0.3.1 → 0.5.0"]
