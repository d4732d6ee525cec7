"""I1: a change beside the pinned scalars is a promotion, a risk with a label, or unknown; never plain success."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.actions.test_pin_guard import PROD, guard, propose, status
from tests.cases.redteam.test_guard_git import clone, git, opened, push
from tests.promotion.shop_world import Shop

Edit = Callable[[str], str]


def judge(world: Shop, edits: dict[str, Edit]) -> tuple[str, str]:
    pull = propose(world, edits)
    guard(world, pull.number)
    return status(world, pull.head_sha)


def put(old: str, new: str) -> Edit:
    """An edit that puts text before another, which must be there."""

    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new + old, 1)

    return edit


NOT_RENDERED = "stagegate/risk:not-rendered"
SPEC = "  destination:"
OPERATION = "operation: {sync: {revision: 1.1.0}}\n"
REMOTE = "https://evil.example/acme/values.git"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (put("spec:\n", OPERATION), NOT_RENDERED),
        (put("spec:\n", "status: {operationState: {phase: Running}}\n"), NOT_RENDERED),
        (put(SPEC, "  source: {repoURL: https://evil.example/x.git, path: x}\n"), NOT_RENDERED),
        (put(SPEC, "  sourceHydrator: {drySource: {repoURL: https://evil.example}}\n"), "sourceHydrator"),
        (put(SPEC, "  ignoreDifferences: [{kind: Secret, jsonPointers: [/data]}]\n"), NOT_RENDERED),
        (put(SPEC, "  newField: x\n"), NOT_RENDERED),
        (put("      helm:\n", "      kustomize: {version: v5.0.0}\n"), NOT_RENDERED),
        (put("        releaseName", "        version: v2\n"), NOT_RENDERED),
        (put("    - {repoURL", f"    - {{repoURL: {REMOTE!r}, targetRevision: main, ref: more}}\n"), "risk:foreign"),
        (lambda text: text.replace("metadata: {", "metadata: {finalizers: [a.b/c], "), NOT_RENDERED),
        (
            lambda text: text.replace(
                "metadata: {", "metadata: {annotations: {argocd-image-updater.argoproj.io/image-list: a}, "
            ),
            NOT_RENDERED,
        ),
        (lambda text: text.replace("targetRevision: main", f"targetRevision: {'a' * 40}"), "no commit"),
    ],
)  # fmt: skip
def test_a_field_that_no_rendering_shows_needs_a_label(world: Shop, edit: Edit, said: str) -> None:
    state, why = judge(world, {PROD: edit})
    assert state in ("failure", "error")
    assert said in why


@pytest.mark.parametrize(
    "metadata", ["{labels: {team: shop}, ", "{annotations: {app.kubernetes.io/part-of: shop}, "]
)
def test_a_field_without_effect_needs_no_label(world: Shop, metadata: str) -> None:
    assert (
        judge(world, {PROD: lambda text: text.replace("metadata: {", f"metadata: {metadata}")})[0]
        == "success"
    )


def canary(world: Shop) -> str:
    return world.pins("prod").replace("shop-prod", "shop-canary").replace("1.0.0", "1.1.0")


OTHER = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: other}
spec:
  destination: {namespace: %s}
  source: {repoURL: 'https://git.example/x.git', path: x}
"""


@pytest.mark.parametrize(
    "path", ["deploy/canary.yaml", "deploy/more/canary.yml", "deploy/canary.json", "clusters/a/canary.yaml"]
)
def test_a_new_application_of_our_chart_needs_a_label(world: Shop, path: str) -> None:
    text = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({"stagegate.yaml": text + "guarded-paths: ['clusters/**']\n"})
    state, why = judge(world, {path: lambda _: canary(world)})
    assert (state, NOT_RENDERED in why, path in why) == ("failure", True, True), why


@pytest.mark.parametrize(
    ("text", "is_judged"),
    [
        (OTHER % "shop", True),
        (OTHER % "elsewhere", False),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n", True),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {text: about shop}\n", False),
        ("apiVersion: v1\nkind: List\nitems:\n- " + (OTHER % "shop").replace("\n", "\n  "), True),
        ("kind: AppProject\napiVersion: argoproj.io/v1alpha1\nmetadata: {name: p}\nspec: {sourceNamespaces: [x]}\n", False),
        ("replicas: 3\n", False),
        ("{{ if .x }}\nkind: Application\nmetadata: {name: shop-prod}\n{{ end }}\n", True),
        ((OTHER % "elsewhere").replace("name: other", "name: '{{ .name }}'"), True),
    ],
)  # fmt: skip
def test_a_new_document_is_judged_where_it_names_what_an_environment_runs(
    world: Shop, text: str, is_judged: bool
) -> None:
    state, why = judge(world, {"deploy/more.yaml": lambda _: text})
    assert (state, NOT_RENDERED in why) == (("failure", True) if is_judged else ("success", False)), why


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd}\n", "ConfigMap/argocd-cm"),
        ("apiVersion: v1\nkind: List\nitems:\n- " + (OTHER % "shop").replace("\n", "\n  "), "Application/other"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\nspec: {}\n", "Pod/x-"),
        ("some: text\n", "without a name"),
        ("# a comment\n", ""),
    ],
)  # fmt: skip
def test_a_new_document_in_the_file_of_a_pin_needs_a_label(world: Shop, document: str, said: str) -> None:
    state, why = judge(world, {PROD: lambda text: f"{text.rstrip()}\n---\n{document}"})
    assert (state, said in why) == ("failure" if said else "success", True), why
    assert (NOT_RENDERED in why) == bool(said)


def test_the_pinned_application_once_more_in_a_list_needs_a_label(world: Shop) -> None:
    again = (OTHER % "shop").replace("name: other", "name: shop-prod").replace("\n", "\n  ")
    document = f"apiVersion: v1\nkind: ApplicationList\nitems:\n- {again}"
    state, why = judge(world, {PROD: lambda text: f"{text.rstrip()}\n---\n{document}"})
    assert (state, "2 times" in why) == ("failure", True), why


def test_a_document_beside_the_pins_that_only_shares_the_namespace_may_change(world: Shop) -> None:
    world.repo.seed({"deploy/more.yaml": OTHER % "shop"})
    assert judge(world, {"deploy/more.yaml": lambda text: text.replace("path: x", "path: y")})[0] == "success"


def test_an_application_of_our_chart_beside_the_pins_may_not(world: Shop) -> None:
    world.repo.seed({"deploy/more.yaml": canary(world).replace("1.1.0", "1.0.0")})
    state, why = judge(world, {"deploy/more.yaml": lambda text: text.replace("1.0.0", "1.1.0")})
    assert (state, NOT_RENDERED in why) == ("failure", True), why


def in_json(world: Shop) -> str:
    """Prod pinned in JSON, indented with tabs."""
    pin = "deploy/prod.json"
    chart = f'"repoURL": "{world.host}/acme/charts", "chart": "shop", "targetRevision": "1.0.0"'
    text = (
        '{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop-prod"},\n'
        f'\t"spec": {{"destination": {{"namespace": "shop"}}, "source": {{{chart}}}}}}}\n'
    )
    settings = world.repo.read("main", "stagegate.yaml").decode().replace(PROD, pin)
    world.repo.seed({"stagegate.yaml": settings, pin: text})
    return pin


def test_a_key_that_occurs_twice_in_json_is_refused(world: Shop) -> None:
    pin = in_json(world)
    twice = '"targetRevision": "1.1.0", "chart"'
    state, why = judge(world, {pin: lambda text: text.replace('"chart"', twice)})
    assert (state, "'targetRevision' twice" in why) == ("error", True), why


def test_json_with_tabs_is_read(world: Shop) -> None:
    pin = in_json(world)
    assert judge(world, {pin: lambda text: text.replace("\t", "\t\t")})[0] == "success"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "deploy/kustomization.yaml",
            "resources: [prod.yaml]\npatches: [{target: {kind: Application}, patch: '[]'}]\n",
        ),
        ("deploy/Chart.yaml", "apiVersion: v2\nname: a\nversion: 0.1.0\n"),
        ("deploy/.argocd-source-shop-prod.yaml", "helm: {parameters: []}\n"),
    ],
)
def test_a_file_that_changes_how_argo_cd_reads_the_folder_of_a_pin_needs_a_label(
    world: Shop, path: str, text: str
) -> None:
    state, why = judge(world, {path: lambda _: text})
    assert (state, NOT_RENDERED in why, path in why) == ("failure", True, True), why


def test_a_submodule_in_the_folder_of_a_pin_needs_a_label(world: Shop, tmp_path: Path) -> None:
    folder = clone(world, tmp_path / "clone")
    git(folder, "checkout", "-qb", "mine")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},deploy/more")
    git(folder, "commit", "-qm", "feat: more")
    head = push(world, folder, "mine")
    guard(world, opened(world, "mine").number)
    state, why = status(world, head)
    assert (state, "submodule" in why) == ("failure", True), why


def test_a_project_in_a_pin_file_is_a_risk(world: Shop) -> None:
    project = "---\napiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: p}\nspec: {sourceRepos: ['*']}\n"
    state, why = judge(world, {PROD: lambda text: text + project})
    assert (state, "risk:rbac-widened" in why) == ("failure", True), why


HIDDEN_NAME = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: sets}
spec:
  goTemplate: true
  generators: [{list: {elements: [{a: b}]}}]
  template:
    metadata: {name: other}
    spec: {destination: {namespace: elsewhere}, source: {repoURL: 'https://git.example/x.git', path: x}}
  templatePatch: '{"metadata": {"name": "shop\\u002dprod"}}'
"""
NESTED = (OTHER % "elsewhere").replace("name: other", 'name: "shop\\x2dprod"').replace("\n", "\n ")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("deploy/more.yaml", f"{OTHER % 'shop'}# {'x' * (1 << 20)}\n"),
        ("deploy/more.yaml", f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n---x:\n {NESTED}"),
        ("deploy/more.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n<<: {kind: Application}\n"),
        ("deploy/more.yaml", HIDDEN_NAME),
        ("deploy/more.yaml", '# {{ x\na: [\nkind: Application\nmetadata: {name: "shop\\x2dprod"}\n'),
        ("deploy/more.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 9\n"),
        (".gitattributes", "*.png filter=lfs\n*.yaml working-tree-encoding=ISO646-DE\n"),
        ("more/.gitattributes", "*.yaml working-tree-encoding=ISO646-DE\n"),
        ("deploy/more.jsonnet", "{apiVersion: 'argoproj' + '.io/v1alpha1', kind: 'Application'}\n"),
    ],
    ids=["larger than 1 MiB", "two ways to split", "two ways to merge", "a patch", "an escaped name", "a pointer", "an encoding",
         "an encoding elsewhere", "a program"],
)  # fmt: skip
def test_a_file_of_uncertain_content_beside_the_pins_needs_a_label(world: Shop, path: str, text: str) -> None:
    state, why = judge(world, {path: lambda _: text})
    assert (state, NOT_RENDERED in why, path in why) == ("failure", True, True), why


def test_attributes_that_change_no_bytes_need_none(world: Shop) -> None:
    assert judge(world, {".gitattributes": lambda _: "*.png filter=lfs\n*.md text\n"})[0] == "success"


def test_values_that_merge_mappings_beside_the_pins_need_none(world: Shop) -> None:
    values = "a: &a {b: 1}\nc: {<<: *a, b: 2}\n"
    assert judge(world, {"deploy/more.yaml": lambda _: values})[0] == "success"


def test_the_target_of_a_link_beside_the_pins_needs_a_label(world: Shop, tmp_path: Path) -> None:
    folder = clone(world, tmp_path / "clone")
    (folder / "elsewhere.txt").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    (folder / "deploy/more.yaml").symlink_to("../elsewhere.txt")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "feat: a link")
    git(folder, "push", "-q", "origin", "HEAD:main")
    state, why = judge(world, {"elsewhere.txt": lambda _: canary(world)})
    assert (state, NOT_RENDERED in why, "deploy/more.yaml" in why) == ("failure", True, True), why
