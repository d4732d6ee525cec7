"""All objects of one Application, source by source, as Argo CD's repo-server renders them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app import render_inputs, sources
from stagegate.argocd_app.named_files import KUSTOMIZATIONS
from stagegate.argocd_app.sets.expand import merge_patch
from stagegate.argocd_app.sources import ApplicationSource, mapping
from stagegate.argocd_app.tree import Tree
from stagegate.chart.objects import RenderedObject
from stagegate.difference.manifests import directory_source, helm_source, kustomize_source
from stagegate.difference.manifests.surroundings import Around, NotRendered
from stagegate.errors import Stop


def render(application: Mapping[str, Any], around: Around) -> tuple[RenderedObject, ...]:
    """Objects of every source, in order. NotRendered for plugins and Jsonnet, Stop for what Argo CD refuses too."""
    listed = [source for source in sources.of(application) if source.renders]
    if not listed:
        raise NotRendered("the Application has no source")
    return tuple(one for source in listed for one in render_source(application, source, around))


def render_source(
    application: Mapping[str, Any], source: ApplicationSource, around: Around
) -> tuple[RenderedObject, ...]:
    """Objects of one source. NotRendered for plugins and Jsonnet, Stop for what Argo CD refuses too."""
    if mapping(application.get("spec")).get("sourceHydrator"):
        raise NotRendered("the sourceHydrator of the Application writes to a different branch")
    if not source.renders:
        raise NotRendered("the Application has no source")
    if source.kind != "git":
        if "plugin" in source.types:
            raise NotRendered("a plugin renders the Application")
        return helm_source.render(application, source, around)
    tree = around.tree(source.address, source.revision or "HEAD")
    folder, _ = tree.resolve(source.path)
    if folder not in tree.folders or (not folder and source.path.strip("./")):
        raise Stop(
            "missing-file",
            f"{source.path}: app path does not exist.",
            f"{source.address} has no folder of this name at {source.revision or 'HEAD'}.",
            "Correct the path in the Application.",
            file=source.path,
        )
    source = _overridden(application, source, tree, folder)
    match type_of(source, tree, folder):
        case "plugin":
            raise NotRendered("a plugin renders the Application")
        case "helm":
            return helm_source.render(application, source, around)
        case "kustomize":
            build_environment = render_inputs.environment(application, source)
            return kustomize_source.render(
                tree, folder, source.options("kustomize"), around, build_environment
            )
        case _:
            return directory_source.render(source, tree, folder)


def type_of(source: ApplicationSource, tree: Tree, folder: str) -> str:
    """The tool: the one that the source names, else what the folder looks like. Stop where it names two."""
    if len(source.types) > 1:
        raise Stop(
            "findings",
            f"Multiple application sources defined: {', '.join(source.types)}.",
            "Argo CD renders a source with one tool.",
            "Keep one of the blocks.",
        )
    if source.types:
        return source.types[0]
    start = f"{folder}/" if folder else ""
    if any(f"{start}{name}" in tree.entries for name in KUSTOMIZATIONS):
        return "kustomize"
    return "helm" if f"{start}Chart.yaml" in tree.entries else "directory"


def _overridden(
    application: Mapping[str, Any], source: ApplicationSource, tree: Tree, folder: str
) -> ApplicationSource:
    """The source with what `.argocd-source.yaml` and `.argocd-source-NAME.yaml` in its folder change."""
    name = str(mapping(application.get("metadata")).get("name") or "")
    document = source.document
    for file in (".argocd-source.yaml", f".argocd-source-{name}.yaml"):
        content = tree.file(f"{folder}/{file}".lstrip("/"))
        if content is None:
            continue
        try:
            patch = yaml_1_1.load(content)
        except (yaml.YAMLError, ValueError) as error:
            raise Stop(
                "findings",
                f"{folder}/{file} is not YAML.",
                f"{error}.",
                "Correct it.",
                file=f"{folder}/{file}",
            ) from error
        document = merge_patch(document, mapping(patch))
    return msgspec.structs.replace(source, document=document) if document is not source.document else source
