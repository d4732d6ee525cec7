"""The same chart with the same values is rendered by the real helm once for all tests of a process."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stagegate.clients import helm

# A template that may render to something else the next time is rendered each time.
_CHANGING = re.compile(
    rb"\b(rand|now|date|ago|uuid|gen[A-Z]|htpasswd|bcrypt|encrypt|derivePassword|getHostByName)"
)
_RENDERED: dict[object, str] = {}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `helm.template` return what helm printed for the same content, values and flags; failures are repeated."""
    monkeypatch.setattr(helm, "template", _once(helm.template))


def _once(template: Callable[..., str]) -> Callable[..., str]:
    def render(chart: Path, **options: object) -> str:
        contents = _contents(chart)
        if contents is None or any(_CHANGING.search(content) for _, content in contents):
            return template(chart, **options)
        given = tuple((name, tuple(v) if isinstance(v, list) else v) for name, v in sorted(options.items()))
        key = (shutil.which("helm"), chart.name, contents, given)
        if key not in _RENDERED:
            _RENDERED[key] = template(chart, **options)
        return _RENDERED[key]

    return render


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
