"""migrate: a kustomization and a chart, rendered by kustomize and helm, compared object by object."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from stagegate.actions import migrate
from stagegate.runner.boundary import entrypoint
from tests.setup.bare_repositories import commit, write
from tests.setup.test_init import alone

OBJECTS = {
    "deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: ghcr.io/acme/shop:v1.2.3}]}
""",
    "service.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
""",
    "data.yaml": """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: shop-data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}
""",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kustomization, and a chart with the same objects."""
    files = {f"k8s/base/{name}": text for name, text in OBJECTS.items()}
    files["k8s/base/kustomization.yaml"] = f"resources: [{', '.join(OBJECTS)}]\n"
    files["k8s/prod/kustomization.yaml"] = "resources: [../base]\nnamespace: shop-prod\n"
    files |= {f"charts/shop/templates/{name}": text for name, text in OBJECTS.items()}
    files["charts/shop/Chart.yaml"] = "apiVersion: v2\nname: shop\nversion: 1.2.3\n"
    write(tmp_path, files)
    commit(tmp_path, "acme/shop")
    alone(monkeypatch, tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[dict[str, object]], str]:
    flags = ["--kustomization", "k8s/prod", "--chart", "charts/shop", "--namespace", "shop-prod", *more]
    code = entrypoint("migrate", migrate.Migrate, migrate.main, argv=flags)
    said = capsys.readouterr().out
    found = [line for line in said.splitlines() if line.startswith("findings=")]
    return code, json.loads(found[0].removeprefix("findings=")) if found else [], said


def edit(folder: Path, path: str, before: str, after: str) -> None:
    file = folder / path
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))


@pytest.mark.usefixtures("folder")
def test_a_chart_that_renders_the_same_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code, findings, said = run(capsys)
    assert (code, findings) == (0, [])
    assert "reason=verified" in said and "3 of them the same" in said


def test_objects_that_argo_cd_would_delete_are_listed_and_lost_data_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "charts/shop/templates/data.yaml").unlink()
    edit(folder, "charts/shop/templates/deployment.yaml", "replicas: 2", "replicas: 3")
    code, findings, said = run(capsys)
    assert (code, findings[0]["object"], findings[0]["severity"]) == (
        1,
        "PersistentVolumeClaim/shop-data",
        "error",
    )
    assert "deleted with prune | `PersistentVolumeClaim/shop-data`" in said
    assert "`spec.replicas`: `2` → `3`" in said


def test_a_selector_that_cannot_change_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder, "charts/shop/templates/deployment.yaml", "app: shop}", "app.kubernetes.io/name: shop}")
    code, findings, _ = run(capsys)
    assert code == 1
    assert ("immutable-field", "Deployment/shop") in {(one["rule"], one["object"]) for one in findings}


def test_an_object_under_another_name_is_paired_with_the_one_it_replaces(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(folder, "charts/shop/templates/service.yaml", "{name: shop}", "{name: shop-web}")
    code, _, said = run(capsys)
    assert code == 0
    assert (
        "renamed | `Service/shop-web` was `shop`" in said
        or "renamed | `Service/shop-web` was `Service/shop`" in said
    )


def test_a_broken_overlay_is_reported_with_file_and_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    glued = OBJECTS["service.yaml"] + OBJECTS["data.yaml"]
    (folder / "k8s/base/service.yaml").write_text(glued)
    code, findings, said = run(capsys)
    (told,) = findings
    assert (code, told["file"], told["line"]) == (1, "k8s/base/service.yaml", 5)
    assert "Write `---` before line 5" in said


def test_text_that_is_not_yaml_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(folder, "k8s/base/service.yaml", "kind: Service", "kind: [Service")
    code, findings, _ = run(capsys)
    assert (code, findings[0]["file"]) == (1, "k8s/base/service.yaml")


PATCH = "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: replace, path: /spec/nothing/here, value: 1}\n"


@pytest.mark.parametrize(
    ("more", "code", "line", "text"),
    [
        pytest.param("resources: [../bse]\n", 1, 1, "names ../bse, which is not there", id="missing"),
        pytest.param(
            f"resources: [../base]\n{PATCH}", 1, 5, "missing path: /spec/nothing/here", id="json patch"
        ),
        pytest.param("resources: [../base]\nnamespce: x\n", 1, 2, "unknown field", id="unknown field"),
        pytest.param(
            "resources: [../base]\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n"
            "    metadata: {name: shoop}\n",
            1,
            6,
            "no resource matches strategic merge patch",
            id="patch of nothing",
        ),
        pytest.param(
            "resources: [../base]\nhelmCharts: [{name: x, repo: https://charts.example.com, version: 1.0.0}]\n",
            2,
            2,
            "fetches https://charts.example.com",
            id="chart from elsewhere",
        ),
        pytest.param(
            "resources: [../base]\nhelmCharts: [{name: shop, valuesFile: v.yaml}]\n",
            1,
            2,
            "inflates the chart shop, which is not in k8s/prod/charts",
            id="chart that is not there",
        ),
        pytest.param(
            "resources:\n- ../base\n- github.com/acme/base//prod?ref=v1\n",
            2,
            3,
            "fetches github.com/acme/base//prod?ref=v1",
            id="base from elsewhere",
        ),
    ],
)
def test_an_overlay_that_does_not_build_is_reported_with_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str], more: str, code: int, line: int, text: str
) -> None:
    (folder / "k8s/prod/kustomization.yaml").write_text(more)
    done, findings, said = run(capsys)
    assert done == code and text in said
    at = findings[0]["line"] if findings else int(re.findall(r"kustomization.yaml,line=(\d+)", said)[0])
    assert at == line


def test_a_chart_of_the_repository_is_inflated(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (folder / "charts/shop/templates/more.yaml").write_text(
        "{{- if .Values.more }}\nkind: {{ .Values.more }}\n{{- end }}\n"
    )
    (folder / "k8s/prod/kustomization.yaml").write_text(
        "helmGlobals: {chartHome: ../../charts}\n"
        "helmCharts: [{name: shop, releaseName: shop, namespace: shop-prod}]\nnamespace: shop-prod\n"
    )
    code, findings, _ = run(capsys)
    assert (code, findings[0]["line"]) == (1, 2)  # kustomize reads it in any case
    assert "inflates the chart shop, which has no values.yaml" in str(findings[0]["message"])
    (folder / "charts/shop/values.yaml").write_text("more: ''\n")
    code, findings, _ = run(capsys)
    assert code == 1 and "which is outside of k8s/prod" in str(findings[0]["message"])
    settings = "app: shop\nimages: [ghcr.io/acme/shop]\nenvironments: [{name: prod, pins: [a.yaml]}]\n"
    option = "render: {kustomize-options: [--load-restrictor=LoadRestrictionsNone]}\n"
    (folder / "stagegate.yaml").write_text(settings + option)
    code, findings, said = run(capsys)
    assert (code, findings) == (0, []), said
    assert "reason=verified" in said and "3 objects now, 3 from the chart, 3 of them the same" in said

    (tmp_path / "bin").mkdir()
    for name in ("git", "kubectl", "kustomize"):
        if program := shutil.which(name):
            (tmp_path / "bin" / name).symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    code, _, said = run(capsys)
    assert code == 2 and "reason=missing-tool" in said
    assert "k8s/prod/kustomization.yaml inflates charts, and helm is not on PATH" in said


def test_components_patches_and_generators_are_built_before_they_are_compared(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "k8s/extra/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
        "patches: [{target: {kind: Deployment}, patch: '- {op: replace, path: /spec/replicas, value: 5}'}]\n",
        "k8s/prod/kustomization.yaml": "resources: [../base]\nnamespace: shop-prod\ncomponents: [../extra]\n"
        "configMapGenerator: [{name: settings, literals: [A=b]}]\n",
        "charts/shop/templates/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
        "data: {A: b}\n",
    }
    write(folder, files)
    code, _, said = run(capsys)
    assert code == 0 and "4 objects now, 4 from the chart, 2 of them the same" in said
    assert "`spec.replicas`: `5` → `2`" in said
    assert "Pruning would delete 1" in said and "ends in a hash" in said


@pytest.mark.usefixtures("folder")
def test_missing_folders_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--chart", "charts/other")[0] == 2
    assert run(capsys, "--kustomization", "k8s/none")[0] == 2
