"""Bare repositories release under act by the workflows that `init` wrote, from the push of the adoption to production.

The only manual changes are those that init and doctor ask for.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.servers import ROOT
from tests.road.ground import Ground, ground
from tests.road.newcomers import Newcomer
from tests.setup.bare_repositories import (
    application_set,
    commit,
    gitops_folders,
    helm_created,
    image_only,
    kustomize_monorepo,
    umbrella_chart,
)

pytestmark = pytest.mark.road
KUSTOMIZE = pytest.mark.skipif(
    not (shutil.which("kustomize") or shutil.which("kubectl")), reason="nothing builds kustomizations here"
)
SERVICES = ("cart", "catalog", "search")
# doctor: nothing protects production.
APPROVED = ("    gate: {on-failure", "    promotion: {approvals: 1}\n    gate: {on-failure")
PUSHED = [("push", "release.yml"), ("push", "stagegate.yml")]
ANNOUNCED = [("push", "release.yml"), ("workflow_dispatch", "stagegate.yml")]
CHART = "charts/shop"
# The chart of a newcomer with the tag under `global`.
GLOBAL_TAG = {
    f"{CHART}/values.yaml": ("replicaCount: 1", "global:\n  imageTag: v1.4.2\n\nreplicaCount: 1"),
    f"{CHART}/templates/deployment.yaml": (
        ".Values.image.tag | default .Chart.AppVersion",
        ".Values.global.imageTag",
    ),
}


def mailer(lab: Newcomer) -> None:
    """Images and manifests only."""
    lab.have(image_only)
    lab.image("mailer", "v0.4.0", "v0.3.1")


def created(lab: Newcomer) -> None:
    """`helm create`, with images and without Argo CD."""
    lab.have(helm_created)
    lab.image("shop", "1.4.2", "1.4.1")


def folders(lab: Newcomer) -> None:
    """Applications of a chart in a repository of their own."""
    lab.have(gitops_folders)
    lab.have(helm_created, "1.5.0", edits=GLOBAL_TAG)
    lab.image("shop", "v1.5.0", "v1.4.2")
    lab.chart("acme/shop", "1.5.0", "1.4.2")


def umbrellas(lab: Newcomer) -> None:
    """Umbrella charts in a repository of their own."""
    lab.have(umbrella_chart)
    lab.have(helm_created, "2.1.0", "2.0.0")
    lab.image("shop", "v2.1.0", "v2.0.0")
    lab.chart("acme/shop", "2.1.0", "2.0.0")


def fleet(lab: Newcomer) -> None:
    """An ApplicationSet over three clusters in a repository of its own."""
    lab.have(application_set)
    lab.have(helm_created, "1.5.0")
    lab.image("shop", "1.5.0", "1.4.2", "1.4.1")
    lab.chart("acme/shop", "1.5.0", "1.4.2", "1.4.1")


def services(lab: Newcomer) -> None:
    """Three services with kustomizations."""
    lab.have(kustomize_monorepo)
    for app, tags in {"svc-a": "1.3.0 1.2.3", "svc-b": "2.0.1 2.0.0", "svc-c": "0.9.0 0.8.1"}.items():
        lab.image(app, *(f"v{version}" for version in tags.split()))


def example(folder: Path) -> Path:
    """The example of a monorepo, whose services were all released once."""
    shutil.copytree(ROOT / "examples/monorepo", folder, dirs_exist_ok=True)
    return commit(folder, "acme/shop-services", *(f"{name}-v1.0.0" for name in SERVICES))


WORLDS: dict[str, tuple[Callable[[Newcomer], None], str, str]] = {
    "helm-created": (created, "acme/shop", ""),
    "umbrella-chart": (umbrellas, "acme/deploy", "acme/shop"),
    "application-set": (fleet, "acme/fleet", "acme/shop"),
}


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Ground]:
    with ground(tmp_path) as made:
        yield made


@pytest.mark.parametrize("name", WORLDS)
def test_init_and_doctor_ask_for_everything_that_is_missing(shared: Ground, name: str) -> None:
    """The first steps of the roads that only `make roads` takes: doctor finds no error afterwards."""
    world, pins, app = WORLDS[name]
    with Newcomer(shared, pins, app) as lab:
        world(lab)
        lab.adopt_all()
        lab.argocd.poke()
        places = lab.places
        assert [place.argo.application_names for _, place, _ in places]
        for _, place, holder in places:
            own = lab.variables()[holder].keys() - {"REGISTRY_USERNAME"}  # which is the repository's
            assert own == {"ARGOCD_SERVER", "STAGEGATE_HOSTS"}
            lines = lab.secrets()[holder]["STAGEGATE_VARIABLES"].splitlines()
            assert {one.partition("=")[0] for one in lines} == {*place.gate.variables, "ARGOCD_TOKEN"}
            (application,) = place.argo.application_names
            assert "automated" in lab.argocd.application(application)["spec"]["syncPolicy"]
        assert not lab.argocd.problems


def test_an_app_without_chart_and_version_files_goes_to_production(shared: Ground) -> None:
    with Newcomer(shared, "acme/mailer") as lab:
        mailer(lab)
        lab.adopt_all()
        assert lab.settled() == PUSHED
        lab.first_day()
        lab.push("octo-dev", "feat: sell tea", {"app/server.py": lambda text: f"{text}# tea\n"})
        assert lab.settled() == PUSHED
        assert lab.released("v0.5.0")
        assert lab.runs_in("mailer-dev").startswith("sha-")
        assert lab.runs_in("mailer-prod") == "v0.3.1"
        lab.merge_only()
        assert lab.settled() == [("push", "stagegate.yml")]
        assert lab.runs_in("mailer-prod") == lab.runs_in("mailer-dev")


@pytest.mark.long
def test_a_helm_created_chart_goes_to_production(shared: Ground) -> None:
    with Newcomer(shared, "acme/shop") as lab:
        created(lab)
        lab.adopt_all()
        assert lab.settled() == PUSHED
        lab.first_day()
        lab.push("octo-dev", "feat: sell tea", {"main.go": lambda text: f"{text}// tea\n"})
        assert lab.settled() == PUSHED
        assert lab.released("1.5.0")
        lab.merge_only()
        assert lab.settled() == [("push", "stagegate.yml")]
        assert lab.runs_in("shop-prod") == lab.runs_in("shop-staging") != ""
        assert lab.runs_in("shop-prod").startswith("sha-")


def test_an_app_of_apps_in_a_gitops_repository_goes_to_production(shared: Ground) -> None:
    with Newcomer(shared, "acme/gitops", "acme/shop") as lab:
        folders(lab)
        lab.adopt_all()
        assert [note for note in lab.notes if '`global: {imageTag: "v1.4.2"}`' in note], (
            "as GLOBAL_TAG has it"
        )
        from_code_to(lab, "shop-staging", "shop-prod")


@pytest.mark.long
def test_umbrella_charts_go_to_production(shared: Ground) -> None:
    with Newcomer(shared, "acme/deploy", "acme/shop") as lab:
        umbrellas(lab)
        lab.adopt_all()
        from_code_to(lab, "shop-staging", "shop-production")


@pytest.mark.long
def test_an_application_set_over_clusters_goes_to_production(shared: Ground) -> None:
    with Newcomer(shared, "acme/fleet", "acme/shop") as lab:
        fleet(lab)
        lab.adopt_all()
        from_code_to(lab, "shop-staging", "shop-prod-eu", "shop-prod-us")


@KUSTOMIZE
@pytest.mark.parametrize("end", ["proposed", pytest.param("released", marks=pytest.mark.long)])
def test_one_service_of_a_monorepo_goes_to_two_regions(shared: Ground, end: str) -> None:
    with Newcomer(shared, "acme/mono") as lab:
        services(lab)
        lab.adopt_all()
        assert lab.settled() == PUSHED
        lab.first_day()
        lab.push("octo-dev", "feat: sell tea", {"services/svc-a/main.go": lambda text: f"{text}// tea\n"})
        assert lab.settled() == PUSHED
        assert lab.runs_in("svc-a-staging").startswith("sha-")
        assert [lab.runs_in(f"svc-{name}-staging") for name in "bc"] == ["v2.0.1", "v0.9.0"]
        assert lab.runs_in("svc-a-prod-eu") == "v1.2.3"
        assert sorted(pull["head"]["ref"] for pull in lab.pulls()) == [
            "stagegate/promote/svc-a/prod-eu",
            "stagegate/promote/svc-a/prod-us",
        ]
        if end == "proposed":
            return
        for pull in lab.pulls():  # both before the gate of either
            lab.merge(pull["number"])
        assert set(lab.settled()) == {("push", "stagegate.yml")}
        regions = [lab.runs_in(f"svc-a-prod-{region}") for region in ("eu", "us")]
        assert regions == [lab.runs_in("svc-a-staging")] * 2
        released = lab.api("octo-lead", "GET", "/releases")
        assert [(one["tag_name"], one["draft"]) for one in released] == [("svc-a-v1.4.0", False)]


@pytest.mark.long
@KUSTOMIZE
def test_the_example_of_a_monorepo_goes_to_one_region_after_the_other(shared: Ground) -> None:
    """examples/monorepo with what doctor asks for; its ApplicationSet is a matrix of services and environments."""
    with Newcomer(shared, "acme/shop-services") as lab:
        lab.have(example, edits={"stagegate/policy.yaml": APPROVED})
        for name in SERVICES:
            lab.image(name, "v1.0.0")
        lab.forge.drain_events()
        lab.deploy()
        lab.cure("acme/shop-services")
        lab.first_day()
        lab.push(
            "octo-dev", "feat: pay by invoice", {"services/cart/e2e.yaml": lambda text: f"{text}# pay\n"}
        )
        assert lab.settled() == PUSHED
        assert [lab.runs_in(f"{name}-staging")[:4] for name in SERVICES] == ["buil", "v1.0", "v1.0"]
        for region in ("eu", "us"):
            (pull,) = lab.pulls()
            assert pull["head"]["ref"] == f"stagegate/promote/cart/prod-{region}"
            lab.merge(pull["number"])
            assert set(lab.settled()) == {("push", "stagegate.yml")}
            assert lab.runs_in(f"cart-prod-{region}") == lab.runs_in("cart-staging")
        assert not lab.pulls()
        released = lab.api("octo-lead", "GET", "/releases")
        assert [(one["tag_name"], one["draft"]) for one in released] == [("cart-v1.1.0", False)]
        assert lab.runs_in("catalog-prod-us") == "v1.0.0"


def from_code_to(lab: Newcomer, first: str, *later: str) -> None:
    """From the push of the adoption to production in two repositories, where earlier releases run."""
    runs = lab.settled()
    assert sorted(runs) == PUSHED
    lab.first_day()
    before = {name: lab.runs_in(name) for name in later}
    lab.push("octo-dev", "feat: sell tea", {"main.go": lambda text: f"{text}// tea\n"})
    assert lab.settled() == ANNOUNCED
    assert lab.runs_in(first).startswith("sha-")
    assert {name: lab.runs_in(name) for name in later} == before
    for _ in later:  # one after the other, because they may change the same file
        lab.merge(lab.pulls()[0]["number"])
        assert set(lab.settled()) == {("push", "stagegate.yml")}
    assert not lab.pulls()
    assert {lab.runs_in(name) for name in later} == {lab.runs_in(first)}
