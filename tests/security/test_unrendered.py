"""I1, I2: a deployed change that cannot be rendered never counts as harmless, and a found risk stays recorded."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stagegate.clients import hub
from tests.actions.test_pin_guard import PROD, guard, propose, status, to
from tests.promotion.shop_world import Shop, shop
from tests.promotion.steps import promote_pr

LABEL = "stagegate/risk:not-rendered"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n"
EVIL = "patches: [{patch: 'spec: {containers: [{name: shop, image: evil}]}', target: {kind: Deployment}}]\n"


def verdict(world: Shop, pull: hub.Pull) -> tuple[str, str]:
    guard(world, pull.number)
    return status(world, pull.head_sha)


def promote(world: Shop, **inputs: str) -> dict[str, str]:
    (world.folder / "stagegate.yaml").write_bytes(world.repo.read("main", "stagegate.yaml"))
    promote_pr(world.environ(**inputs))
    return world.outputs()


def pinned(world: Shop, file: str, **files: str) -> None:
    """Pin prod by another file, and add files beside it."""
    text = world.repo.read("main", "stagegate.yaml").decode().replace("deploy/prod.yaml", file)
    world.repo.seed({"stagegate.yaml": text, **files})


def kustomized(world: Shop) -> str:
    pin = "deploy/prod/kustomization.yaml"
    images = f"images:\n- {{name: {world.host}/acme/shop, newTag: v1.0.0}}\n"
    pinned(
        world,
        pin,
        **{
            pin: f"kind: Kustomization\nresources: [../base, patch.yaml]\n{images}",
            "deploy/prod/patch.yaml": "spec: {replicas: 2}\n",
            "deploy/base/kustomization.yaml": "resources: [../../common/one.yaml, ../inner]\n",
            "deploy/inner/kustomization.yaml": "resources: [../../common/two.yaml]\n",
            "common/one.yaml": "kind: ConfigMap\n",
            "common/two.yaml": "kind: ConfigMap\n",
            "common/three.yaml": "kind: ConfigMap\n",
        },
    )
    return pin


def umbrella(world: Shop) -> str:
    pin = "deploy/prod/Chart.yaml"
    parts = f"dependencies:\n- {{name: shop, version: 1.0.0, repository: 'oci://{world.host}/acme/charts'}}\n"
    pinned(
        world,
        pin,
        **{
            pin: f"apiVersion: v2\nname: prod\nversion: 0.1.0\n{parts}",
            "deploy/prod/values.yaml": "shop: {replicas: 2}\n",
        },
    )
    return pin


def beside(world: Shop) -> str:
    source = f'{{repoURL: "{world.forge.url}/acme/shop.git", targetRevision: main, path: ./deploy/extra/}}'
    world.repo.seed({PROD: f"{world.pins('prod')}    - {source}\n", "deploy/extra/a.yaml": CONFIG})
    return PROD


@pytest.mark.parametrize(
    ("shape", "file", "edit"),
    [
        (umbrella, "deploy/prod/values.yaml", lambda _: "shop: {replicas: 0}\n"),
        (umbrella, "deploy/prod/templates/x.yaml", lambda _: "kind: ClusterRoleBinding\n"),
        (umbrella, "deploy/prod/Chart.yaml", lambda t: t.replace("0.1.0", "0.1.1")),
        (kustomized, "deploy/prod/patch.yaml", lambda _: "spec: {replicas: 0}\n"),
        (kustomized, "deploy/prod/kustomization.yaml", lambda t: t + "replicas: [{name: shop, count: 0}]\n"),
        (kustomized, "deploy/prod/kustomization.yaml", lambda t: t + EVIL),
        (kustomized, "deploy/base/kustomization.yaml", lambda t: t + EVIL),
        (kustomized, "common/one.yaml", lambda _: "kind: Secret\n"),
        (kustomized, "common/two.yaml", lambda _: "kind: Secret\n"),
    ],
)  # fmt: skip
def test_a_deployment_beside_the_pin_is_judged(
    world: Shop, shape: Callable[[Shop], str], file: str, edit: Callable[[str], str]
) -> None:
    """With its label it passes, and a hold stops it."""
    shape(world)
    pull = propose(world, {file: edit})
    state, why = verdict(world, pull)
    assert (state, LABEL in why, file in why) == ("failure", True, True), why
    world.forge.advance(5)
    world.hub().add_labels(pull.number, [LABEL])
    assert verdict(world, pull)[0] == "success"
    promote(world, mode="hold", environment="prod", reason="the database moves")
    assert verdict(world, pull)[0] == "failure"


@pytest.mark.parametrize("file", ["deploy/extra/a.yaml", "deploy/extra/b.yaml"])
def test_manifests_of_a_branch_are_rendered_and_need_a_label_of_their_own(world: Shop, file: str) -> None:
    """No release names them and no gate has tested them."""
    beside(world)
    pull = propose(world, {file: lambda _: CONFIG.replace("a: b", "a: c").replace("extra", file[-6])})
    state, why = verdict(world, pull)
    assert (state, "stagegate/risk:moving" in why, file in why) == ("failure", True, True), why
    world.forge.advance(5)
    world.hub().add_labels(pull.number, ["stagegate/risk:moving"])
    assert verdict(world, pull)[0] == "success"
    harmless = propose(world, {file: lambda _: f"{CONFIG}# more\n"}, branch="comment")
    if file.endswith("a.yaml"):
        assert verdict(world, harmless)[0] == "success"


@pytest.mark.parametrize("shape", [umbrella, kustomized])
def test_a_proven_release_alone_needs_no_label_where_nothing_can_be_rendered(
    world: Shop, shape: Callable[[Shop], str]
) -> None:
    pin = shape(world)
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")
    pull = propose(world, {pin: to("1.1.0")}, branch="release")
    assert verdict(world, pull)[0] == "success"
    assert verdict(world, propose(world, {"common/three.yaml": lambda _: "kind: X\n"}))[0] == "success"
    both = propose(world, {pin: lambda text: to("1.1.0")(text) + "commonLabels: {a: b}\n"}, branch="both")
    assert verdict(world, both)[0] == "failure"


def test_a_risk_found_at_the_proposal_is_kept(world: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only promote-pr builds kustomizations; later judges of its proposal read the risks that it recorded."""
    kustomized(world)
    tool = world.folder / "bin/kustomize"
    tool.parent.mkdir()
    tool.write_text(
        '#!/bin/sh\nn=2; grep -q "newTag: v1.1.0" "$2"/kustomization.yaml && n=0\n'
        'printf "apiVersion: apps/v1\\nkind: Deployment\\nmetadata: {name: c}\\nspec: {replicas: $n}\\n"\n'
    )
    tool.chmod(0o755)
    world.seed_pin("staging", "1.1.0")
    for argv in (["init", "-q"], ["fetch", "-q", str(world.repo.store.path), "main"]):
        subprocess.run(["git", *argv], cwd=world.folder, check=True)
    world.passed("1.1.0")
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{tool.parent}:{path}")
    sha = promote(world, environment="prod")["commit"]
    assert "replicas-zero" in status(world, sha)[1]
    for again in ({"mode": "evaluate"}, {"environment": "prod"}):
        promote(world, **again)
        assert (status(world, sha)[0], "replicas-zero" in status(world, sha)[1]) == ("failure", True), again
    monkeypatch.setenv("PATH", path.replace(str(tool.parent), ""))
    pull = world.hub().pulls(head="stagegate/promote/shop/prod")[0]
    promote(world, environment="prod")
    verdict(world, pull)
    assert world.hub().pulls(head="stagegate/promote/shop/prod")[0].head_sha == sha, (
        "an equal proposal is not replaced"
    )
    assert (status(world, sha)[0], "replicas-zero" in status(world, sha)[1]) == ("failure", True)
    world.forge.advance(5)
    world.hub().add_labels(pull.number, ["stagegate/risk:replicas-zero"])
    promote(world, mode="evaluate")
    assert status(world, sha)[0] == "success"


def test_a_file_of_another_environments_pin_is_no_change_of_this_one(tmp_path: Path, host: str) -> None:
    with shop(tmp_path, host, changes={"[deploy/prod.yaml]": "[deploy/kustomization.yaml]"}) as world:
        pin = f"kind: Kustomization\nimages:\n- {{name: {host}/acme/shop, newTag: v1.0.0}}\n"
        world.repo.seed({"deploy/kustomization.yaml": pin})
        pull = propose(world, {"deploy/values/staging.yaml": lambda _: "replicas: 3\n"})
        assert verdict(world, pull)[0] == "success"


def test_other_changes_in_a_rollback_are_not_judged_as_a_rollback(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.seed_pin("prod", "1.1.0")
    promote(world, mode="rollback", environment="prod", reason="bad")
    back = {PROD: lambda text: text.replace("1.1.0", "1.0.0")}
    assert verdict(world, propose(world, back, branch="plain"))[0] == "success"
    more = {**back, "deploy/values/prod.yaml": lambda _: "replicas: 0\n"}
    state, why = verdict(world, propose(world, more, branch="more"))
    assert (state, "hold" in why, "replicas-zero" in why) == ("failure", True, True)
