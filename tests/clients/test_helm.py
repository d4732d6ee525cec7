"""The helm client: the right program, no configuration of the user's helm, and helm's own messages."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagegate.clients import helm, helm_lint, helm_version, process
from stagegate.errors import Stop


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    helm.version.cache_clear()
    yield
    helm.version.cache_clear()


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("a: 1\n")
    (folder / "templates/a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    return folder


def test_notes_and_errors_of_lint_are_told_apart(chart: Path) -> None:
    good = helm_lint.lint(chart)
    assert good.passed
    assert [(m.severity, m.file) for m in good.messages] == [("note", "Chart.yaml")]
    (chart / "templates/b.yaml").write_text("a: {{ .Values.a.b }}\n")
    bad = helm_lint.lint(chart, [b"a: {b: 2}\n", b"a: 1\n"])
    assert not bad.passed
    assert [m.file for m in bad.messages if m.severity == "error"] == ["templates/"]
    assert helm_lint.lint(chart, [b"a: {b: 2}\n"]).passed


def test_strict_makes_a_warning_fail(chart: Path) -> None:
    (chart / "templates/b.yaml").write_text(
        "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: b}\n"
    )
    assert helm_lint.lint(chart).passed
    strict = helm_lint.lint(chart, strict=True)
    assert not strict.passed
    assert any(m.severity == "warning" for m in strict.messages)


def test_a_failing_lint_is_never_without_an_error(chart: Path) -> None:
    (chart / "Chart.yaml").write_text("name: [\n")
    failed = helm_lint.lint(chart)
    assert not failed.passed
    assert any(m.severity == "error" for m in failed.messages)


def test_a_missing_or_unsupported_helm_is_reported(
    chart: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "helm"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(Stop, match="setup-helm") as stop:
        helm_lint.lint(chart)
    assert stop.value.reason == "missing-tool"
    for said in ("v3.13.9", "v5.0.0", "v2.17.0", "nonsense"):
        program.write_text(f"#!/bin/sh\necho {said}\n")
        program.chmod(0o755)
        with pytest.raises(Stop, match=said.removeprefix("v")) as stop:
            helm_lint.lint(chart)
        assert stop.value.reason == "missing-tool"
    for said in ("v3.14.0", "v4.1.2"):
        program.write_text(f"#!/bin/sh\necho {said}\n")
        helm.version.cache_clear()
        assert helm.version() == said.removeprefix("v")


def test_no_configuration_of_the_users_helm_is_used(
    chart: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_CACHE_HOME", "HELM_PLUGINS"):
        monkeypatch.setenv(name, str(tmp_path / "theirs"))
    monkeypatch.setenv("HELM_NAMESPACE", "theirs")
    monkeypatch.setenv("HELM_DEBUG", "true")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "theirs/config"))
    (chart / "templates/b.yaml").write_text(
        "apiVersion: v1\nkind: B\nmetadata: {name: b, namespace: {{ .Release.Namespace }}}\n"
    )
    assert "namespace: ours" in helm.template(chart, release_name="x", namespace="ours")
    assert not (tmp_path / "theirs").exists()


def test_a_name_that_looks_like_a_flag_is_refused(chart: Path) -> None:
    with pytest.raises(Stop) as stop:
        helm.template(chart, release_name="--post-renderer=/bin/true", namespace="x")
    assert "release name" in str(stop.value)


def test_binary_output_is_refused(chart: Path) -> None:
    (chart / "blob").write_bytes(b"\xff\xfe\xfd")
    (chart / "templates/b.yaml").write_text('# {{ .Files.Get "blob" }}\n')
    with pytest.raises(Stop, match="UTF-8"):
        helm.template(chart, release_name="x", namespace="x")


def test_the_version_of_the_real_helm_is_read() -> None:
    real = subprocess.run(["helm", "version", "--short"], check=True, capture_output=True, text=True).stdout
    assert real.startswith("v" + helm.version())


def test_the_version_of_helm_is_remembered_until_its_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGEGATE_CACHE", str(tmp_path))
    real = str(Path(process.require("helm", "")).resolve())
    version = helm.version()
    assert helm_version.remembered(real) == version
    started: list[str] = []
    monkeypatch.setattr(process, "run", lambda *argv, **_: started.append(argv[1]))
    helm.version.cache_clear()
    assert (helm.version(), started) == (version, [])

    program = tmp_path / "helm"
    program.write_bytes(b"\x7fELF one")
    helm_version.remember(str(program), "3.17.3")
    assert helm_version.remembered(str(program)) == "3.17.3"
    program.write_bytes(b"\x7fELF another")
    assert helm_version.remembered(str(program)) == ""


def test_the_version_of_a_script_named_helm_is_never_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGEGATE_CACHE", str(tmp_path))
    manager = tmp_path / "manager"  # a program that many names lead to, as those of version managers
    manager.write_bytes(b"\x7fELF")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/helm").symlink_to(manager)
    script = tmp_path / "helm"
    script.write_text("#!/bin/sh\necho v3.17.3\n")
    for program in (tmp_path / "bin/helm", script):
        helm_version.remember(str(program), "3.17.3")
        assert helm_version.remembered(str(program)) == ""
