"""The same chart with the same values is rendered and linted by the real helm once for all tests of a process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.argocd.charts import CHANGING
from stagegate.clients import helm, helm_lint

_RESULTS: dict[object, Any] = {}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let helm's clients return what helm said of the same content, values and flags; failures are repeated."""
    monkeypatch.setattr(helm, "template", _once(helm.template))
    monkeypatch.setattr(helm_lint, "lint", _once(helm_lint.lint))


def _once(run: Callable[..., Any]) -> Callable[..., Any]:
    def kept(chart: Path, *values: object, **options: object) -> Any:
        contents = _contents(chart)
        if contents is None or any(CHANGING.search(content) for _, content in contents):
            return run(chart, *values, **options)
        given = [("", value) for value in values] + sorted(options.items())
        key = (run, shutil.which("helm"), chart.name, contents, tuple(map(_hashable, given)))
        if key not in _RESULTS:
            _RESULTS[key] = run(chart, *values, **options)
        return _RESULTS[key]

    return kept


def _hashable(given: tuple[str, object]) -> tuple[str, object]:
    name, value = given
    return name, tuple(value) if isinstance(value, list) else value


def _contents(chart: Path) -> tuple[tuple[str, bytes], ...] | None:
    """The files of a chart folder; None for an archive, for a folder with one, and for links, which lead anywhere.

    Annotations of the chart, which name a commit, are left out where no template reads them.
    """
    paths = sorted(chart.rglob("*")) if chart.is_dir() else []
    if not paths or any(path.is_symlink() or path.suffix == ".tgz" for path in paths):
        return None
    contents = {str(path.relative_to(chart)): path.read_bytes() for path in paths if path.is_file()}
    try:
        metadata = yaml.safe_load(contents.get("Chart.yaml", b""))
    except yaml.YAMLError:
        return None
    if isinstance(metadata, dict) and not any(b"Annotations" in content for content in contents.values()):
        contents["Chart.yaml"] = json.dumps(metadata | {"annotations": {}}, default=str).encode()
    return tuple(contents.items())
