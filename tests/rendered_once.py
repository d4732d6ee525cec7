"""The same chart with the same values is rendered and linted by the real helm once for all tests of a process."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stagegate.clients import helm, helm_lint

# A template that may render to something else the next time is rendered each time.
_CHANGING = re.compile(
    rb"\b(rand[A-Z]|now|date|ago|uuid|gen[A-Z]|htpasswd|bcrypt|encrypt|derivePassword|getHostByName)"
)
_RESULTS: dict[object, Any] = {}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let helm's clients return what helm said of the same content, values and flags; failures are repeated."""
    monkeypatch.setattr(helm, "template", _once(helm.template))
    monkeypatch.setattr(helm_lint, "lint", _once(helm_lint.lint))


def _once(run: Callable[..., Any]) -> Callable[..., Any]:
    def kept(chart: Path, *values: object, **options: object) -> Any:
        contents = _contents(chart)
        if contents is None or any(_CHANGING.search(content) for _, content in contents):
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
    """The files of a chart folder; None for an archive and for a folder with links, which may lead anywhere.

    Annotations of the chart, which name a commit, are left out where no template reads them.
    """
    paths = sorted(chart.rglob("*")) if chart.is_dir() else []
    if not paths or any(path.is_symlink() for path in paths):
        return None
    contents = {str(path.relative_to(chart)): path.read_bytes() for path in paths if path.is_file()}
    if not any(b"Annotations" in content for content in contents.values()):
        contents |= {
            name: json.dumps({**yaml.safe_load(content), "annotations": {}}, default=str).encode()
            for name, content in contents.items()
            if name == "Chart.yaml"
        }
    return tuple(contents.items())
