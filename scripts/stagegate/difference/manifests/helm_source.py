"""A chart from a registry, an HTTP repository or a folder of Git, with the values its Application names."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from stagegate import inside, yaml_1_1
from stagegate.argocd_app import globs, named_files, render_inputs
from stagegate.argocd_app.inputs import RenderInputs
from stagegate.argocd_app.sources import ApplicationSource, items, mapping
from stagegate.chart import package
from stagegate.chart import render as chart_render
from stagegate.chart.objects import RenderedObject
from stagegate.difference.manifests.surroundings import Around, NotRendered, on_disk
from stagegate.errors import Stop

_TEMPLATES = 500
_API = re.compile(r"APIVersions\.Has\s+\(?\s*[\"'`]([^\"'`\s]+)[\"'`]")
KUBE_VERSION = "the Kubernetes version"
_ASKS_VERSION = re.compile(r"\.Capabilities\.KubeVersion\b")
_RANDOM = re.compile(
    r"\b(?:rand\w+|uuidv4|genCA\w*|genSelfSigned\w*|genSigned\w*|genPrivateKey|now|htpasswd|bcrypt|encryptAES)\b"
)
_DEEP = 8  # charts that depend on charts beside them


def inputs(application: Mapping[str, Any], source: ApplicationSource, around: Around) -> RenderInputs:
    """Helm's inputs for one source. Stop(missing-file), NotRendered."""

    def read(address: str, revision: str, path: str) -> bytes | None:
        return around.tree(address, revision).file(path)

    def find(address: str, revision: str, pattern: str) -> Sequence[str]:
        return [path for path in around.tree(address, revision).entries if globs.of_values(pattern, path)]

    helm_inputs = render_inputs.helm_inputs(application, source, read, find)
    cluster = around.cluster(mapping(mapping(application.get("spec")).get("destination")))
    return msgspec.structs.replace(
        helm_inputs,
        kube_version=helm_inputs.kube_version or cluster.kube_version,
        api_versions=helm_inputs.api_versions or cluster.api_versions or (),
    )


def render(
    application: Mapping[str, Any], source: ApplicationSource, around: Around
) -> tuple[RenderedObject, ...]:
    """Objects of one chart. Stop(findings) with helm's words."""
    where = str(mapping(application.get("metadata")).get("name") or "")
    helm_inputs = inputs(application, source, around)
    if source.kind != "git":
        return chart_render.render(around.chart(source), helm_inputs, where=where)
    tree = around.tree(source.address, source.revision or "HEAD")
    folder, _ = tree.resolve(source.path)
    with on_disk(tree, named_files.following([folder], tree)) as root:
        complete(root / folder, root, around)
        return chart_render.render(root / folder, helm_inputs, where=where)


def asked_for(source: ApplicationSource, around: Around) -> tuple[frozenset[str], bool]:
    """API versions that a chart asks the cluster for (and KUBE_VERSION), and whether it makes random values."""
    if source.kind == "git":
        tree = around.tree(source.address, source.revision or "HEAD")
        paths = [path for path in tree.below(tree.resolve(source.path)[0]) if "/templates/" in f"/{path}"]
        texts = list(tree.read(paths).values()) if len(paths) <= _TEMPLATES else []
    else:
        unpacked = package.unpack(around.chart(source), source.chart or source.address)
        texts = [data for path, data in unpacked.items() if "/templates/" in path]
    text = "\n".join(one.decode("utf-8", "replace") for one in texts)
    version = {KUBE_VERSION} if _ASKS_VERSION.search(text) else set()
    return frozenset(_API.findall(text)) | version, _RANDOM.search(text) is not None


def complete(chart: Path, root: Path, around: Around, depth: int = 0) -> None:
    """Put dependencies into a chart's `charts/`, as `helm dependency build` would.

    Those beside it (`file://`) are copied; others are fetched as charts of their own, where policy allows it.
    """
    locked = {
        (one.get("name"), one.get("repository")): str(one.get("version") or "")
        for one in _dependencies(chart / "Chart.lock")
    }
    for one in _dependencies(chart / "Chart.yaml"):
        name, repository = str(one.get("name") or ""), str(one.get("repository") or "")
        charts = chart / "charts"
        present = charts.is_dir() and any(
            place.name == name or place.name.startswith(f"{name}-") for place in charts.iterdir()
        )
        if present or not name:
            continue
        if not repository.startswith("file://"):
            _fetch(one, locked.get((name, repository), ""), charts, around)
            continue
        beside = inside.folder(root, str(chart / repository.removeprefix("file://")))
        if beside is None or not (beside / "Chart.yaml").is_file():
            raise Stop(
                "findings",
                f"The dependency {name} of chart {chart.name} is missing.",
                f"Chart.yaml names the folder {repository}, but this folder of the repository "
                "contains no chart.",
                "Correct the path in Chart.yaml.",
            )
        if depth >= _DEEP:
            raise NotRendered(f"the chart {chart.name} has dependencies that depend on each other")
        complete(beside, root, around, depth + 1)
        shutil.copytree(beside, charts / name, symlinks=True)


def _fetch(one: Mapping[str, Any], locked: str, charts: Path, around: Around) -> None:
    name, repository = str(one.get("name") or ""), str(one.get("repository") or "")
    if not repository.startswith(("oci://", "https://", "http://")):
        raise NotRendered(f"the dependency {name} comes from {repository or 'no repository'}")
    version = locked or str(one.get("version") or "")
    address = repository.removeprefix("oci://")
    archive = around.chart(
        ApplicationSource(
            kind="registry" if repository.startswith("oci://") else "repository",
            address=address,
            chart=name,
            revision=version,
            document={},
        )
    )
    charts.mkdir(exist_ok=True)
    (charts / f"{name}-{version}.tgz").write_bytes(archive)


def _dependencies(file: Path) -> list[Mapping[str, Any]]:
    try:
        document = yaml_1_1.load(file.read_bytes()) if file.is_file() else None
    except (yaml.YAMLError, ValueError):
        return []  # helm says what is wrong with it
    return [mapping(one) for one in items(mapping(document).get("dependencies"))]
