"""More pins that Argo CD reads differently: where documents begin, and what on, off and no mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.actions.test_pin_guard import PROD, guard, propose, status
from tests.cases.redteam.test_guard_parsers import go_reads
from tests.promotion.shop_world import Shop


def kubernetes_documents(text: str) -> list[str]:
    """As k8s.io/apimachinery's splitYAMLDocument does: at `\\n---`, and the rest of that line is dropped."""
    found = []
    while (at := text.find("\n---")) >= 0:
        end = text.find("\n", at + 4)
        found.append(text[:at])
        text = text[end + 1 :] if end >= 0 else ""
    return [*found, text]


def test_a_line_that_begins_with_three_dashes_never_passes(world: Shop, tmp_path: Path) -> None:
    """For YAML `---x:` is a key; for Kubernetes' reader a new document begins there."""
    evil = world.pins("prod").replace("1.0.0", "1.1.0").replace("   # no scheme", "")

    def edit(text: str) -> str:
        return text + "---x:\n" + "".join(f"  {line}\n" for line in evil.splitlines())

    pull = propose(world, {PROD: edit})
    text = world.hub().files(pull.head_sha, [PROD])[PROD].content.decode()
    parts = kubernetes_documents(text)
    last = go_reads(parts[-1], tmp_path)
    assert (last["metadata"]["name"], last["spec"]["sources"][0]["targetRevision"]) == ("shop-prod", "1.1.0")
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    assert found[0] in ("failure", "error")


def chart_with_database(world: Shop) -> None:
    folder = world.folder / "build/1.0.0/shop/templates"
    (folder / "db.yaml").write_text(
        "{{ if .Values.db }}\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: db, volumeClaimTemplates: [{metadata: {name: d}}]}\n{{ end }}\n"
    )
    crds = folder.parent / "crds"
    crds.mkdir(exist_ok=True)
    (crds / "a.yaml").write_text(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b.c}\nspec: {group: b.c}\n"
    )
    from stagegate.chart import package, source
    from stagegate.clients.registry import Manifest
    from stagegate.evidence.release_record import Record

    record = Record(commit=world.commits["1.0.0"], images={f"{world.host}/acme/shop": world.digests["1.0.0"]})
    packed = package.pack(source.read(folder.parent, "charts/shop"), record)
    pushed = Manifest(media_type="application/vnd.oci.image.manifest.v1+json", raw=packed.manifest)
    world.store.push(
        f"{world.host}/acme/charts/shop:1.0.0", pushed, (packed.config, packed.archive), replace=True
    )


@pytest.mark.parametrize("word", ["off", "no"])
def test_words_that_argo_cd_reads_as_false_never_pass(world: Shop, tmp_path: Path, word: str) -> None:
    chart_with_database(world)
    helm = "      helm:\n        valuesObject: {db: true}\n"
    world.repo.seed({PROD: world.pins("prod").replace("      helm:\n", helm)})
    pull = propose(world, {PROD: lambda t: t.replace("db: true", f"db: {word}")})
    text = world.hub().files(pull.head_sha, [PROD])[PROD].content.decode()
    assert go_reads(text, tmp_path)["spec"]["sources"][0]["helm"]["valuesObject"]["db"] is False
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    assert "stateful-removed" in found[1] or found[0] == "error", (
        "the difference does not show that the StatefulSet is deleted"
    )


def test_words_that_are_false_in_fields_of_an_application_never_pass(world: Shop, tmp_path: Path) -> None:
    chart_with_database(world)
    helm = "      helm:\n        skipCrds: true\n"
    world.repo.seed({PROD: world.pins("prod").replace("      helm:\n", helm)})
    pull = propose(world, {PROD: lambda t: t.replace("skipCrds: true", "skipCrds: no")})
    text = world.hub().files(pull.head_sha, [PROD])[PROD].content.decode()
    assert go_reads(text, tmp_path)["spec"]["sources"][0]["helm"]["skipCrds"] is False
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    summary = (world.folder / "summary.md").read_text()
    assert found[0] in ("failure", "error") or "CustomResourceDefinition" in summary, (
        "the difference does not show the new CRD"
    )
