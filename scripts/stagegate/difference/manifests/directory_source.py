"""A plain folder: every YAML and JSON file in it, as Argo CD takes them.

https://argo-cd.readthedocs.io/en/stable/user-guide/directory/
"""

from __future__ import annotations

import posixpath
import re

from stagegate.argocd_app import globs
from stagegate.argocd_app.sources import ApplicationSource
from stagegate.argocd_app.tree import Tree
from stagegate.chart import objects
from stagegate.chart.objects import RenderedObject
from stagegate.difference.manifests.surroundings import NotRendered
from stagegate.errors import Stop

_SKIP = b"# +argocd:skip-file-rendering"
_WORDS = (b"apiVersion:", b"kind:", b"metadata:")


def render(source: ApplicationSource, tree: Tree, folder: str) -> tuple[RenderedObject, ...]:
    """Objects of a folder's files. Stop(findings) for one that is meant as a manifest and is none."""
    options = source.options("directory")
    include, exclude = str(options.get("include") or ""), str(options.get("exclude") or "")
    objects: list[RenderedObject] = []
    for path in tree.below(folder):
        inner = path[len(folder) :].lstrip("/")
        if "/" in inner and not options.get("recurse"):
            continue
        if not re.search(r"\.(?:yaml|yml|json|jsonnet)$", inner):
            continue
        if (exclude and globs.of_directory(exclude, inner)) or (
            include and not globs.of_directory(include, inner)
        ):
            continue
        if path.endswith(".jsonnet"):
            raise NotRendered(f"{path} is Jsonnet")
        objects += _objects(path, tree)
    return tuple(objects)


def _objects(path: str, tree: Tree) -> tuple[RenderedObject, ...]:
    content = tree.file(path)
    if content is None:
        raise NotRendered(f"{path} is a symbolic link to a place outside the repository")
    if _SKIP in content:
        return ()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Stop(
            "findings", f"{path} is not UTF-8.", f"{error}.", "Save the file as UTF-8.", file=path
        ) from error
    try:
        return objects.parse(text, posixpath.basename(path))
    except Stop as stop:
        if all(word in content for word in _WORDS):
            raise Stop(stop.reason, f"{path} is not a manifest.", stop.why, stop.next, file=path) from stop
        return ()  # Argo CD takes it for another kind of file
