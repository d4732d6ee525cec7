"""Software that runs beside or instead of the pinned release although the pin's scalars stay as they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.actions.test_pin_guard import PROD, guard, propose, status, to
from tests.promotion.shop_world import Shop

EVIL = "1.1.0"


def judge(world: Shop, edits: dict[str, Callable[[str], str]]) -> tuple[str, str]:
    pull = propose(world, edits)
    guard(world, pull.number)
    return status(world, pull.head_sha)


def second(text: str) -> str:
    """The same chart once more, untested, by another name into the same namespace and release."""
    return text + "---\n" + text.replace("shop-prod", "shop-prod-canary").replace("1.0.0", EVIL)


def named(world: Shop) -> None:
    text = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed(
        {
            "stagegate.yaml": text.replace(
                "    pins: [deploy/prod.yaml]",
                "    argocd: {applications: [shop-prod]}\n    pins: [deploy/prod.yaml]",
            )
        }
    )


def test_a_second_application_in_the_pins_file_never_passes(world: Shop) -> None:
    named(world)
    assert judge(world, {PROD: second})[0] in ("failure", "error")


def test_an_application_of_another_chart_in_the_pins_file_never_passes(world: Shop) -> None:
    named(world)
    other = "---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop-prod-b}\nspec:\n  destination: {namespace: shop}\n  source: {repoURL: 'https://evil.example/x.git', path: x, targetRevision: main}\n"
    assert judge(world, {PROD: lambda t: t + other})[0] in ("failure", "error")


def test_a_new_application_in_a_file_beside_the_pin_never_passes(world: Shop) -> None:
    new = world.pins("prod").replace("shop-prod", "shop-prod-canary").replace("1.0.0", EVIL)
    assert judge(world, {"deploy/prod-canary.yaml": lambda _: new})[0] in ("failure", "error")


def test_an_application_set_of_the_same_name_never_passes(world: Shop) -> None:
    named(world)
    taken = f"---\napiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {{name: takes-over}}\nspec:\n  generators: [{{list: {{elements: [{{n: shop-prod, v: 1.1.0, c: shop}}]}}}}]\n  template:\n    metadata: {{name: '{{{{n}}}}'}}\n    spec:\n      destination: {{namespace: shop}}\n      source: {{repoURL: {world.host}/acme/charts, chart: '{{{{c}}}}', targetRevision: '{{{{v}}}}'}}\n"
    assert judge(world, {PROD: lambda t: t + taken})[0] in ("failure", "error")


def test_a_version_spelled_as_another_tag_of_the_registry_never_passes(world: Shop) -> None:
    """`v1.0.0` is another chart tag than `1.0.0`: a person with packages: write pushed another chart to it."""
    from stagegate.chart import package, source
    from stagegate.clients.registry import Manifest
    from stagegate.evidence.release_record import Record

    chart = world.folder / "build" / "1.0.0" / "shop"
    t = chart / "templates" / "deployment.yaml"
    t.write_text(t.read_text().replace("containers:", "hostNetwork: true\n      containers:"))
    record = Record(commit=world.commits["1.0.0"], images={f"{world.host}/acme/shop": world.digests["1.0.0"]})
    packed = package.pack(source.read(chart, "charts/shop"), record)
    pushed = Manifest(media_type="application/vnd.oci.image.manifest.v1+json", raw=packed.manifest)
    world.store.push(
        f"{world.host}/acme/charts/shop:v1.0.0", pushed, (packed.config, packed.archive), replace=True
    )

    def edit(x: str) -> str:
        return x.replace('targetRevision: "1.0.0"', 'targetRevision: "v1.0.0"')

    assert judge(world, {PROD: edit})[0] in ("failure", "error")


def kustomized(world: Shop, tag: str = "v1.0.0") -> str:
    pin = "deploy/prod/kustomization.yaml"
    text = world.repo.read("main", "stagegate.yaml").decode().replace("deploy/prod.yaml", pin)
    world.repo.seed(
        {
            "stagegate.yaml": text,
            pin: f"kind: Kustomization\nresources: [../base]\nimages:\n- {{name: {world.host}/acme/shop, newTag: {tag}}}\n",
            "deploy/base/kustomization.yaml": "resources: [one.yaml]\n",
            "deploy/base/one.yaml": "kind: ConfigMap\n",
        }
    )
    return pin


def test_another_tag_of_the_same_commit_never_passes(world: Shop) -> None:
    pin = kustomized(world, f"sha-{world.commits['1.0.0']}")
    world.passed("1.0.0")
    assert judge(world, {pin: lambda t: t.replace(f"sha-{world.commits['1.0.0']}", world.commits["1.0.0"])})[
        0
    ] in ("failure", "error")


SET = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {{name: shops}}\nspec:\n  generators:\n    - list:\n        elements:\n          - {{id: p1, env: prod, version: 1.0.0}}\n  template:\n    metadata: {{name: 'shop-{{{{env}}}}'}}\n    spec:\n      destination: {{namespace: shop}}\n      source:\n        repoURL: {host}/acme/charts\n        chart: shop\n        targetRevision: '{{{{version}}}}'\n        helm:\n          releaseName: shop\n          parameters: [{{name: global.imageTag, value: 'v{{{{version}}}}'}}]\n"


def as_set(world: Shop) -> None:
    world.repo.seed({PROD: SET.format(host=world.host)})


def test_an_application_set_with_a_changed_comment_passes(world: Shop) -> None:
    as_set(world)
    assert judge(world, {PROD: lambda t: t + "# x\n"})[0] == "success"


def test_a_template_in_a_generator_never_passes(world: Shop) -> None:
    as_set(world)
    add = "        template: {metadata: {}, spec: {source: {targetRevision: 1.1.0, repoURL: ''}}}\n  template:\n"
    assert judge(world, {PROD: lambda t: t.replace("  template:\n", add, 1)})[0] in ("failure", "error")


def test_a_second_list_element_for_the_same_environment_never_passes(world: Shop) -> None:
    as_set(world)
    add = "version: 1.0.0}\n          - {id: p2, env: prod-b, version: 1.1.0}\n"
    assert judge(world, {PROD: lambda t: t.replace("version: 1.0.0}\n", add)})[0] in ("failure", "error")


@pytest.mark.parametrize(
    "edit",
    [
        lambda t: t.replace("      helm:\n", "      plugin: {name: evil}\n      helm:\n"),
        lambda t: t.replace("  destination:", "  project: cluster-admins\n  destination:"),
        lambda t: t.replace("  destination:", "  syncPolicy: {automated: {enabled: false}}\n  destination:"),
        lambda t: t.replace("metadata: {name: shop-prod}", "metadata: {name: shop-prod-2}"),
        lambda t: t.replace("      helm:\n", "      helm:\n        passCredentials: true\n"),
        lambda t: t.replace("  destination:", "  operation: {sync: {revision: 1.1.0}}\n  destination:"),
        lambda t: t.replace(
            "metadata: {name: shop-prod}",
            "metadata: {name: shop-prod, annotations: {argocd.argoproj.io/skip-reconcile: 'true'}}",
        ),
    ],
    ids=["plugin", "project", "no-sync", "renamed", "passCredentials", "spec.operation", "skip-reconcile"],
)
def test_a_change_of_another_field_of_the_application_never_passes(
    world: Shop, edit: Callable[[str], str]
) -> None:
    assert judge(world, {PROD: edit})[0] in ("failure", "error")
