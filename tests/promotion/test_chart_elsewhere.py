"""`promote --local` in a repository of pins: the chart that the app's own settings name elsewhere is found."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from stagegate import cli

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/two-repositories/gitops"


def edited(folder: Path, monkeypatch: pytest.MonkeyPatch, before: str = "", after: str = "") -> int:
    """The exit code of the command that the README shows, in a copy of the example."""
    shutil.copytree(EXAMPLE, folder)
    pin = folder / "apps/shop/argocd/prod.yaml"
    pin.write_text(pin.read_text().replace(before, after) if before else pin.read_text())
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "SG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    config = ["--config", "apps/shop/stagegate.yaml", "--environment", "prod"]
    return cli.main(["promote", "--local", *config, "--version", "1.2.3"])


def test_chart_and_image_tag_move_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert edited(tmp_path / "gitops", monkeypatch) == 0
    text = (tmp_path / "gitops/apps/shop/argocd/prod.yaml").read_text()
    assert 'targetRevision: "1.2.3"' in text and "value: v1.2.3" in text and "1.0.0" not in text


def test_a_chart_of_another_registry_is_not_the_apps_chart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "gitops"
    assert edited(folder, monkeypatch, "repoURL: ghcr.io/acme/charts", "repoURL: quay.io/others/charts") == 2
    assert "contains no pin of shop" in capsys.readouterr().out
    assert "1.2.3" not in (folder / "apps/shop/argocd/prod.yaml").read_text()
