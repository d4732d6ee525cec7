"""Which sources are the release's: hydrated Applications, sets and parents."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from stagegate.argocd_app.status import read
from stagegate.gate import application_sets
from stagegate.gate.comparing import is_hook
from stagegate.gate.look import classify
from tests.gate.argo_documents import expected, single

Json = dict[str, Any]
DRY, WET = "a" * 40, "f" * 40  # the release's commit, and the one that the hydrator made of it


def hydrated(target: str, dry: str = DRY, wet: str = WET) -> Json:
    document = copy.deepcopy(single())
    repository = "https://github.com/acme/shop.git"
    written = {"repoURL": repository, "path": "shop", "targetRevision": "env/staging"}
    document["spec"].pop("source")
    document["spec"]["sourceHydrator"] = {
        "drySource": {"repoURL": repository, "path": "charts/shop", "targetRevision": target},
        "syncSource": {"targetBranch": "env/staging", "path": "shop"},
    }
    status = document["status"]
    status["sync"] |= {"revision": WET, "comparedTo": {"source": written}}
    status["operationState"]["syncResult"] = {"revision": WET, "source": written}
    status["sourceHydrator"] = {"lastSuccessfulOperation": {"drySHA": dry, "hydratedSHA": wet}}
    return document


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (hydrated("v1.1.0"), "ready"),
        (hydrated(DRY), "ready"),
        (hydrated("v1.1.0", dry="d" * 40), "old-revision"),
        (hydrated("v1.1.0", wet="e" * 40), "old-revision"),
        (hydrated("v1.0.0"), "pin-not-applied"),
        (hydrated("main"), "wrong-source"),
    ],
    ids=["tag", "commit", "other commit", "not synced yet", "tag before", "branch"],
)
def test_a_hydrated_application_is_judged_by_its_pinned_dry_source(document: Json, reason: str) -> None:
    found, detail = classify(read(document), expected(chart="", pinned="1.1.0"))
    assert found == reason, detail
    if reason == "wrong-source":
        assert "pin `drySource.targetRevision` to the tag v1.1.0" in detail


def test_the_interval_of_a_set_is_the_shortest_of_its_generators() -> None:
    nested = {"matrix": {"generators": [{"git": {"requeueAfterSeconds": 60}}, {"list": {}}]}}
    generators = [{"git": {"requeueAfterSeconds": 300}}, nested]
    assert application_sets.interval({"spec": {"generators": generators}}) == 60
    assert application_sets.interval({}) == application_sets.DEFAULT


@pytest.mark.parametrize(
    ("metadata", "parent", "made_by"),
    [
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": "apps:argoproj.io/Application:argocd/shop"}},
            "apps",
            "",
        ),
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": "team_apps:argoproj.io/Application:x/s"}},
            "team/apps",
            "",
        ),
        ({"labels": {"app.kubernetes.io/instance": "apps"}}, "apps", ""),
        ({"labels": {"app.kubernetes.io/instance": "shop"}}, "", ""),
        ({"ownerReferences": [{"kind": "ApplicationSet", "name": "shops"}]}, "", "shops"),
    ],
)
def test_the_parent_of_an_application_is_found(metadata: Json, parent: str, made_by: str) -> None:
    seen = read({"metadata": {"name": "shop", **metadata}})
    assert (seen.parent, seen.application_set) == (parent, made_by)


@pytest.mark.parametrize(
    ("annotations", "hook"),
    [
        ({"helm.sh/hook": "pre-upgrade"}, True),
        ({"helm.sh/hook": "test"}, True),
        ({"argocd.argoproj.io/hook": "PreSync"}, True),
        ({"helm.sh/hook": "crd-install"}, False),
        ({"argocd.argoproj.io/sync-wave": "1"}, False),
    ],
)
def test_hooks_are_compared_with_manifests_and_all_else_with_managed_resources(
    annotations: Json, hook: bool
) -> None:
    assert is_hook({"metadata": {"annotations": annotations}}) is hook


@pytest.mark.parametrize(
    "address",
    [
        "ghcr.io/acme/charts/",
        "oci://ghcr.io/acme/charts//",
        "https://ghcr.io/acme/charts",
        "GHCR.io/acme/charts",
    ],
)
def test_an_address_of_a_chart_is_the_same_in_every_spelling(address: str) -> None:
    document = single()
    for source in (document["spec"]["source"], document["status"]["sync"]["comparedTo"]["source"]):
        source["repoURL"] = address
    document["status"]["operationState"]["syncResult"]["source"]["repoURL"] = address
    assert classify(read(document), expected())[0] == "ready"
