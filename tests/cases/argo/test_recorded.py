"""Applications and ApplicationSets give what a real Argo CD 3.5.1 rendered and expanded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cases.argo import expanded, rendered

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", [one.stem for one in rendered.cases(HERE / "renders")])
def test_an_application_renders_as_argo_cd_renders_it(name: str) -> None:
    if "kustomize" in name and not (shutil.which("kustomize") or shutil.which("kubectl")):
        pytest.skip("neither kustomize nor kubectl is on PATH")
    assert not rendered.difference(HERE / "renders" / f"{name}.json", [HERE / "renders"])


@pytest.mark.parametrize("name", [one.stem for one in expanded.cases(HERE / "applicationsets")])
def test_an_application_set_expands_as_the_controller_expands_it(name: str) -> None:
    folder = HERE / "applicationsets"
    assert not expanded.difference(folder / f"{name}.json", [folder])
