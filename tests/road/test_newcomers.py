"""Bare repositories release under act by the workflows that `init` wrote, from the push of the adoption on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.road.newcomers import Ground, Newcomer, ground
from tests.setup.bare_repositories import image_only, kustomize_monorepo

pytestmark = pytest.mark.road


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ground(tmp_path_factory.mktemp("newcomers")) as made:
        yield made


def test_an_app_without_chart_and_version_files_goes_to_production(shared: Ground) -> None:
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
        (pull,) = lab.pulls()
        lab.merge(pull["number"])
        assert lab.settled() == [("push", "stagegate.yml")]
        assert lab.runs_in("mailer-prod") == lab.runs_in("mailer-dev")


@pytest.mark.skipif(
    not (shutil.which("kustomize") or shutil.which("kubectl")), reason="nothing builds kustomizations here"
)
def test_only_the_service_of_a_monorepo_that_changed_is_released(shared: Ground) -> None:
    with Newcomer(shared, "acme/mono") as lab:
        lab.have(kustomize_monorepo)
        for app, tags in {"svc-a": "1.3.0 1.2.3", "svc-b": "2.0.1 2.0.0", "svc-c": "0.9.0 0.8.1"}.items():
            lab.image(app, *(f"v{version}" for version in tags.split()))
        lab.init("acme/mono")
        lab.deploy()
        lab.forge.drain_events()
        lab.push("octo-dev", "feat: sell tea", {"services/svc-a/main.go": lambda text: f"{text}// tea\n"})
        lab.settle()
        assert lab.runs_in("svc-a-staging").startswith("sha-")
        assert [lab.runs_in(f"svc-{name}-staging") for name in "bc"] == ["v2.0.1", "v0.9.0"]
        assert lab.runs_in("svc-a-prod-eu") == "v1.2.3"
