"""The charts that a kustomization inflates: whether it does, and which of them kustomize cannot find. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app import named_files
from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import Tree
from stagegate.model import Finding

_INFLATING = re.compile(
    rb"^(?:helmCharts|helmChartInflationGenerator):|^kind: HelmChartInflationGenerator", re.M
)
UNRESTRICTED = "--load-restrictor=LoadRestrictionsNone"
_HOME = "charts"  # where kustomize looks without `helmGlobals.chartHome`


def inflates(tree: Tree, folder: str) -> bool:
    """Whether a kustomization, or one that it leads to, inflates charts."""
    paths = named_files.following([folder], tree).paths(tree)
    return any(_INFLATING.search(content) for content in tree.read(paths).values())


def absent(tree: Tree, file: str, options: Collection[str]) -> Iterator[Finding]:
    """Charts and values files of `helmCharts` that are not where kustomize reads them, with the line of each.

    `options` are those of the build.
    """
    content = tree.file(file) or b""
    try:
        document = mapping(yaml_1_1.load(content))
    except (yaml.YAMLError, ValueError):
        return
    folder = posixpath.dirname(file)
    home = str(mapping(document.get("helmGlobals")).get("chartHome") or _HOME)
    for entry in map(mapping, items(document.get("helmCharts"))):
        name, values = str(entry.get("name") or ""), str(entry.get("valuesFile") or "")
        chart = posixpath.normpath(posixpath.join(folder, home, name))
        if values and posixpath.normpath(posixpath.join(folder, values)) not in tree.entries:
            yield _finding(
                file, content, values, f"{values}, which is not there", f"add {values} beside {file}"
            )
        if entry.get("repo"):
            continue  # fetched from elsewhere, which is refused by name
        if f"{chart}/Chart.yaml" not in tree.entries:
            missing = f"the chart {name}, which is not in {posixpath.dirname(chart) or 'the root'}"
            yield _finding(
                file,
                content,
                name,
                missing,
                f"write its folder as `helmGlobals: {{chartHome: ...}}` in {file}",
            )
        elif f"{chart}/values.yaml" not in tree.entries and not values:
            missing = f"the chart {name}, which has no values.yaml"
            yield _finding(file, content, name, missing, f"add an empty {chart}/values.yaml")
        elif not values and UNRESTRICTED not in options and not _below(folder, chart):
            missing = f"the chart {name} with its values.yaml, which is outside of {folder or 'the root'}"
            cure = (
                f"write `valuesFile:` with a file beside {file}. Where Argo CD has `{UNRESTRICTED}` in "
                "`kustomize.buildOptions`, list it in render.kustomize-options of stagegate.yaml"
            )
            yield _finding(file, content, name, missing, cure)


def _below(folder: str, path: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _finding(file: str, content: bytes, word: str, missing: str, cure: str) -> Finding:
    lines = content.decode("utf-8", "replace").splitlines()
    line = next((number for number, text in enumerate(lines, 1) if word and word in text), 1)
    return Finding(
        rule="broken-overlay",
        severity="error",
        file=file,
        line=line,
        message=f"{file} inflates {missing}.",
        why="kustomize builds nothing then.",
        fix=f"Correct line {line}, or {cure}.",
    )
