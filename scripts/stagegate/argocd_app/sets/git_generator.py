"""The Git generator of an ApplicationSet: folders and files of a repository.

https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Generators-Git/
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stagegate.argocd_app import globs
from stagegate.argocd_app.sets.parameters import Parameters, Unexpanded, flat, normalized
from stagegate.argocd_app.sets.surroundings import Surroundings, parsed, with_values


def from_git(generator: Mapping[str, Any], around: Surroundings) -> list[Parameters]:
    """The parameters of a Git generator: one set for each folder, or for each mapping in its files."""
    tree = around.tree(str(generator.get("repoURL") or ""), str(generator.get("revision") or "HEAD"))
    prefix = str(generator.get("pathParamPrefix") or "")
    parameters: list[Parameters] = []
    if generator.get("directories"):
        for folder in _chosen(sorted(tree.folders), generator["directories"], globs.of_folders):
            if folder and not any(part.startswith(".") for part in folder.split("/")):
                parameters.append(_path(folder, "", prefix, around))
    elif generator.get("files"):
        paths = _chosen(sorted(tree.entries), generator["files"], globs.of_files)
        contents = tree.read(paths)
        for path in paths:
            for content in _objects(tree.file(path) or contents[path], path):
                place = _path(posixpath.dirname(path), posixpath.basename(path), prefix, around)
                own = dict(content) if around.go else dict(flat(content))
                parameters.append({**own, **place})
    else:
        raise Unexpanded("git generator must have at least one of directories or files")
    return with_values(parameters, generator, around)


def _chosen(
    paths: Sequence[str], rules: Sequence[Mapping[str, Any]], fits: Callable[[str, str], bool]
) -> list[str]:
    """Paths that a rule names and no rule excludes."""
    wanted = [str(rule.get("path") or "") for rule in rules if not rule.get("exclude")]
    unwanted = [str(rule.get("path") or "") for rule in rules if rule.get("exclude")]
    return [
        path
        for path in paths
        if any(fits(one, path) for one in wanted) and not any(fits(one, path) for one in unwanted)
    ]


def _path(folder: str, file: str, prefix: str, around: Surroundings) -> Parameters:
    """The parameters that name a folder, or a file in it."""
    basename = posixpath.basename(folder)
    path_parameters: Parameters = {"basename": basename, "basenameNormalized": normalized(basename)}
    if file:
        path_parameters |= {"filename": file, "filenameNormalized": normalized(file)}
    parts = folder.split("/") if folder else []
    if around.go:
        nested: Parameters = {"path": {"path": folder, **path_parameters, "segments": parts}}
        return {prefix: nested} if prefix else nested
    name = f"{prefix}.path" if prefix else "path"
    steps = {f"{name}[{index}]": part for index, part in enumerate(parts)}
    return {name: folder, **{f"{name}.{key}": value for key, value in path_parameters.items()}, **steps}


def _objects(content: bytes, path: str) -> list[Mapping[str, Any]]:
    value = parsed(content, f"unable to parse file {path}")
    if value is None:
        return [{}]
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return value or [{}]
    if isinstance(value, dict):
        return [value]
    raise Unexpanded(f"unable to parse file {path}: it is neither a mapping nor a list of mappings")
