"""Why an overlay does not build: the files it names that Kubernetes cannot read, each with its line. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from stagegate.argocd_app import named_files
from stagegate.argocd_app.tree import Tree
from stagegate.model import Finding

_HEADS = ("apiVersion", "kind", "metadata")  # keys that stand once in an object: twice is a missing ---


def find(tree: Tree, folder: str) -> Iterator[Finding]:
    """Every mistake in the YAML files that a kustomization leads to."""
    named = named_files.following([folder], tree)
    paths = [path for path in named.paths(tree) if path.endswith((".yaml", ".yml"))]
    for path, content in sorted(tree.read(sorted(paths)).items()):
        try:
            for node in yaml.compose_all(content, yaml.CSafeLoader):
                yield from _twice(node, path)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            mark = getattr(error, "problem_mark", None)
            yield Finding(
                rule="broken-overlay",
                severity="error",
                file=path,
                line=mark.line + 1 if mark else 1,
                message=f"{path} is not YAML: {getattr(error, 'problem', None) or error}.",
                why="No tool builds the overlay with it.",
                fix="Correct that line.",
            )


def _twice(node: yaml.Node | None, path: str) -> Iterator[Finding]:
    """Keys that stand twice in one mapping, at any depth."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item, path)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.value in lines:
            glued = key.value in _HEADS and node.start_mark.column == 0
            yield Finding(
                rule="broken-overlay",
                severity="error",
                file=path,
                line=line,
                message=f"{path} has the key {key.value} twice, in lines {lines[key.value]} and {line}.",
                why="kustomize refuses it, and other readers silently take the last one.",
                fix=f"Write `---` before line {line}: a second object begins there."
                if glued
                else f"Delete one of the two, in line {lines[key.value]} or {line}.",
            )
            if glued:
                return  # the other keys of the second object would be told again
        lines.setdefault(str(key.value), line)
        yield from _twice(value, path)
