"""doctor without a network reports each mistake of a first day before a version exists, with its fix."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from stagegate.actions import doctor, init
from stagegate.runner.boundary import entrypoint
from stagegate.setup.doctor import registry
from stagegate.setup.doctor.check import DoctorCheck
from tests.setup.bare_repositories import ALL, commit, git
from tests.setup.test_init import alone


def adopted(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bare repository after `init --yes`, committed."""
    folder.mkdir(exist_ok=True)
    ALL[name](folder)
    alone(monkeypatch, folder)
    assert (
        entrypoint("init", init.Init, init.main, argv=["--yes", "--stagegate", "acme/stagegate@v0.1.0"]) == 0
    )
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "chore: adopt stagegate")
    return folder


def diagnose(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, list[dict[str, str]], str]:
    """Exit code, findings and everything printed."""
    capsys.readouterr()
    code = entrypoint("doctor", doctor.Doctor, doctor.main, argv=["--offline", *flags])
    said = capsys.readouterr().out
    (line,) = [one for one in said.splitlines() if one.startswith("findings=")]
    return code, json.loads(line.removeprefix("findings=")), said


@pytest.mark.parametrize("name", ALL)
def test_after_init_doctor_finds_no_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    adopted(tmp_path / "repository", name, monkeypatch)
    code, findings, said = diagnose(capsys)
    assert (code, [one for one in findings if one["severity"] == "error"]) == (0, [])
    assert "not checked: argocd-access" in said and "doctor runs with `offline`" in said


def test_shared_policy_of_the_repository_is_merged_into_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = Path(__file__).parents[2] / "examples/monorepo"
    folder = commit(shutil.copytree(example, tmp_path / "monorepo"), "acme/monorepo")
    alone(monkeypatch, folder)
    code, findings, _ = diagnose(capsys)
    assert (code, [one for one in findings if one["severity"] == "error"]) == (0, [])


def change(path: str, *texts: str) -> Callable[[Path], None]:
    """A change of one file: pairs of a text that it must contain and the text that replaces it."""

    def changed(folder: Path) -> None:
        file = folder / path
        text = file.read_text()
        for before, after in zip(texts[::2], texts[1::2], strict=True):
            assert before in text, f"{path} has no {before!r}"
            text = text.replace(before, after)
        file.write_text(text)

    return changed


def remove(*paths: str) -> Callable[[Path], None]:
    """A change that deletes files."""

    def removed(folder: Path) -> None:
        for path in paths:
            (folder / path).unlink()

    return removed


def add(path: str, text: str) -> Callable[[Path], None]:
    """A change that writes a file."""

    def added(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)

    return added


HELM, GITOPS, MONO, IMAGE = "helm-created", "gitops-folders", "kustomize-monorepo", "image-only"
SETS = "application-set"
APP = "deploy/argocd/prod.yaml"
PINS = "deploy/svc-a/overlays/prod-eu/kustomization.yaml"
CHART = (
    "\nchart:\n  path: charts/shop # in acme/shop\n  repository: oci://ghcr.io/acme/charts\n"
    "  image-tag-value: global.imageTag\n"
)
# A mistake; the check that reports it; its severity; a part of its message, and of its fix.
MISTAKES: dict[str, tuple[str, Callable[[Path], None], str, str, str, str]] = {
    "an identity that no job may ask for": (
        HELM,
        change("stagegate.yaml", "argocd: {", "argocd: {auth: oidc, "),
        "workflows",
        "error",
        "cannot log in to Argo CD",
        "id-token: write",
    ),
    "plain tags in a pin": (
        HELM,
        lambda folder: (
            change("stagegate.yaml", 'image-tag: "{version}"', 'image-tag: "v{version}"')(folder),
            change("stagegate.yaml", 'tag-prefix: ""', "tag-prefix: v")(folder),
        )[0],
        "image-tag-form",
        "error",
        "has the image tag 1.4.2",
        'image-tag: "{version}"',
    ),
    "plain tags in a kustomization": (
        MONO,
        change(PINS, "newTag: v1.2.3", "newTag: 1.2.3"),
        "image-tag-form",
        "error",
        "has the image tag 1.2.3",
        'image-tag: "{version}"',
    ),
    "a chart with another name": (
        HELM,
        change("charts/shop/Chart.yaml", "name: shop", "name: store"),
        "chart-name",
        "error",
        "has the name store in Chart.yaml, but would be published as shop",
        "name: store",
    ),
    "a chart elsewhere": (
        HELM,
        change("stagegate.yaml", "path: charts/shop", "path: chart/shop"),
        "chart-name",
        "error",
        "The folder chart/shop contains no chart",
        "chart.path",
    ),
    "version files that differ": (
        HELM,
        change("VERSION", "1.4.2", "1.4.1"),
        "version-files",
        "error",
        "contains 1.4.2, not 1.4.1",
        "Write 1.4.1",
    ),
    "a version file that is missing": (
        HELM,
        remove("VERSION"),
        "version-files",
        "error",
        "The file VERSION does not exist",
        "Add the file",
    ),
    "one tag prefix for two apps": (
        MONO,
        change("services/svc-b/stagegate.yaml", "tag-prefix: svc-b-v", "tag-prefix: svc-a-v"),
        "app-paths",
        "error",
        "and another app have the same tag prefix",
        "tag-prefix: svc-a-v",
    ),
    "an app that counts every commit": (
        MONO,
        change("services/svc-b/stagegate.yaml", "- services/svc-b/VERSION", "- go.mod"),
        "app-paths",
        "warning",
        "Every commit counts for svc-b",
        "paths:",
    ),
    "a pin that is a range": (
        HELM,
        change(APP, 'targetRevision: "1.4.2"', 'targetRevision: "1.*"'),
        "pins-readable",
        "error",
        "has '1.*', which is not an exact version",
        "exact",
    ),
    "a pins file that does not name the chart": (
        GITOPS,
        change("stagegate.yaml", CHART, ""),
        "pins-readable",
        "warning",
        "contains no pin of shop",
        'chart: {path: charts/shop, repository: "oci://ghcr.io/acme/charts"}',
    ),
    "a pin that is not there": (
        IMAGE,
        change("stagegate.yaml", "k8s/prod/deployment.yaml", "k8s/production/deployment.yaml"),
        "pins-readable",
        "error",
        "There is no k8s/production/deployment.yaml",
        "pins",
    ),
    "an Application that follows a tag": (
        IMAGE,
        change("k8s/argocd/prod.yaml", "targetRevision: main", "targetRevision: v0.3.1"),
        "applications-follow",
        "error",
        "deploys from v0.3.1 of this repository",
        "targetRevision: main",
    ),
    "an Application that syncs by hand": (
        IMAGE,
        change(
            "k8s/argocd/prod.yaml", "automated: {prune: true, selfHeal: true}", "managedNamespaceMetadata: {}"
        ),
        "applications-follow",
        "warning",
        "has no automatic sync",
        "automated",
    ),
    "an ApplicationSet whose Applications sync by hand": (
        SETS,
        change(
            "appsets/shop.yaml",
            "      project: default\n",
            "      project: default\n      syncPolicy: {syncOptions: [CreateNamespace=true]}\n",
        ),
        "sets-follow",
        "warning",
        "The Applications of the ApplicationSet shop do not sync",
        "under `spec.template.spec.syncPolicy` in appsets/shop.yaml",
    ),
    "an Application of another name": (
        IMAGE,
        change("stagegate.yaml", "mailer-prod", "mailer-production"),
        "applications-follow",
        "warning",
        "declares the Application mailer-production",
        "argocd.applications",
    ),
    "values that are ignored": (
        HELM,
        lambda folder: (
            change(APP, "$values/deploy/values/prod.yaml", "values-prod.yaml")(folder),
            add("charts/shop/values-prod.yaml", "replicaCount: 2\n")(folder),
            change("charts/shop/.helmignore", ".git/", ".git/\nvalues-prod.yaml")(folder),
        )[0],
        "values-packaged",
        "error",
        "excludes this file from the package",
        ".helmignore",
    ),
    "values that are not there": (
        HELM,
        remove("deploy/values/prod.yaml"),
        "values-packaged",
        "error",
        "the values file deploy/values/prod.yaml, which does not exist",
        "valueFiles",
    ),
    "a scenario with an unlisted variable": (
        HELM,
        change("e2e/shop.yaml", "path: /", 'path: /, headers: {Authorization: "${SHOP_TOKEN}"}'),
        "scenarios",
        "error",
        "uses SHOP_TOKEN",
        "variables: [SHOP_TOKEN, SHOP_URL]",
    ),
    "a service that should tell its version": (
        HELM,
        change(
            "stagegate.yaml",
            "argocd: {applications: [shop-staging], parent: shop-root}",
            "argocd: {source: http}",
        ),
        "scenarios",
        "error",
        "compares {version}",
        'expect: {json: {version: "{version}"}}',
    ),
    "no scenario file": (
        HELM,
        remove("e2e/shop.yaml"),
        "scenarios",
        "error",
        "There is no e2e/shop.yaml",
        "Add",
    ),
    "no verifying workflow": (
        HELM,
        remove(".github/workflows/stagegate.yml"),
        "workflows",
        "error",
        "No workflow verifies changed pins",
        "stagegate init",
    ),
    "a verifying workflow of another name": (
        HELM,
        change(
            ".github/workflows/release.yml",
            "      digests: ",
            "      verify-workflow: production.yml\n      digests: ",
        ),
        "workflows",
        "error",
        "has `verify-workflow: production.yml`, but this workflow does not exist",
        "verify-workflow",
    ),
    "a workflow without adopt": (
        HELM,
        change(
            ".github/workflows/stagegate.yml",
            ".github/workflows/events.yml@",
            "actions/staging-gate@",
        ),
        "workflows",
        "warning",
        "has no input `mode`",
        "workflow_dispatch",
    ),
    "a branch of stagegate": (
        HELM,
        change(".github/workflows/stagegate.yml", "@v0.1.0", "@main"),
        "revisions",
        "warning",
        "can change without a commit in your repository",
        "@<40 hex>",
    ),
    "no release to roll back to": (
        HELM,
        lambda folder: (git(folder, "tag", "-d", "1.4.2"), None)[1],
        "adopted",
        "warning",
        "the tag 1.4.2 does not exist",
        "git tag -a 1.4.2",
    ),
    "a tag prefix that hides every tag": (
        HELM,
        change("stagegate.yaml", 'tag-prefix: ""', "tag-prefix: shop-"),
        "version-files",
        "warning",
        "Tags such as 1.4.1 do not begin with `shop-`",
        'tag-prefix: ""',
    ),
    "an old word": (
        HELM,
        add(
            ".github/workflows/night.yml",
            "on: push\njobs:\n  a:\n    steps:\n      - uses: acme/stagegate/actions/staging-gate@v0.1.0\n"
            "        with: {mode: watch}\n",
        ),
        "deprecated",
        "warning",
        "the mode `watch`",
        "mode: look",
    ),
    "a mistyped key": (
        HELM,
        change("stagegate.yaml", "environments:", "enviroments:"),
        "settings-valid",
        "error",
        "did you mean environments",
        "Correct",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_first_mistake_is_reported_with_its_fix(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, spoil, check, severity, part, cure = MISTAKES[mistake]
    folder = adopted(tmp_path / "repository", name, monkeypatch)
    spoil(folder)
    code, findings, _ = diagnose(capsys, *_config(folder))
    told = [one for one in findings if one["rule"] == check and part in one["message"]]
    assert told, findings
    assert (told[0]["severity"], cure in told[0]["fix"]) == (severity, True), told[0]
    assert code == (2 if any(one["severity"] == "error" for one in findings) else 0)


def _config(folder: Path) -> Sequence[str]:
    return () if (folder / "stagegate.yaml").is_file() else ("--config", "services/*/stagegate.yaml")


def test_without_settings_the_command_that_writes_them_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ALL[IMAGE](tmp_path)
    alone(monkeypatch, tmp_path)
    code, findings, _ = diagnose(capsys)
    assert (code, findings[0]["rule"], findings[0]["fix"]) == (2, "settings-valid", "stagegate init")


def test_a_missing_program_breaks_the_job_that_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    adopted(tmp_path / "repository", HELM, monkeypatch)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to("/usr/bin/git")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    code, findings, _ = diagnose(capsys)
    assert (code, [one["severity"] for one in findings if one["rule"] == "tools"]) == (0, ["warning"])
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    code, findings, _ = diagnose(capsys)
    assert (code, findings[0]["rule"], findings[0]["severity"]) == (2, "tools", "error")


def test_the_summary_is_a_table_with_the_fixes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = adopted(tmp_path / "repository", HELM, monkeypatch)
    remove("VERSION")(folder)
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    diagnose(capsys)
    text = summary.read_text()
    assert (
        "| ❌ | version-files | The file VERSION does not exist" in text
        and "Not checked (argocd-access" in text
    )


@pytest.mark.parametrize("check", registry.all_checks(), ids=lambda check: check.name)
def test_a_check_names_its_subject_and_its_fix(check: DoctorCheck) -> None:
    assert check.looks_at and not check.looks_at.endswith(".")
    assert check.cure
