"""What each generator of an ApplicationSet yields, as Argo CD's controller does it.

https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Generators/
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app import globs
from stagegate.argocd_app.sets import templates
from stagegate.argocd_app.sets.parameters import (
    NotExpandable,
    Parameters,
    Unexpanded,
    combined,
    flat,
    matches,
    merged_by,
    normalized,
)
from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import Tree

_KINDS = (
    *("list", "clusters", "git", "matrix", "merge"),
    *("scmProvider", "pullRequest", "clusterDecisionResource", "plugin"),
)


class KnownCluster(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster that Argo CD deploys to: what its cluster generators see of it."""

    name: str
    server: str
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    project: str = ""

    @property
    def registered(self) -> bool:
        """Whether a Secret names it; Argo CD's own cluster needs none, and no selector finds it then."""
        return self.labels.get("argocd.argoproj.io/secret-type") == "cluster"


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What generators read: the files of repositories, and the clusters (None: nobody knows them).

    `tree(address, revision)` raises Stop or NotExpandable for what cannot be read.
    """

    tree: Callable[[str, str], Tree]
    clusters: tuple[KnownCluster, ...] | None = None
    go: bool = False
    options: tuple[str, ...] = ()


def generated(generator: Mapping[str, Any], around: Surroundings) -> list[Parameters]:
    """The parameters that one entry of `generators` yields, its selector applied. Unexpanded, NotExpandable."""
    names = [name for name in _KINDS if name in generator]
    unknown = [name for name in generator if name not in (*_KINDS, "selector")]
    if len(names) != 1 or unknown:
        raise Unexpanded(f"{(unknown or names or ['nothing'])[0]} is no generator that Argo CD has")
    make = _MAKERS.get(names[0])
    if make is None:
        raise NotExpandable(f"the generator {names[0]}")
    parameters = make(mapping(generator[names[0]]), around)
    selector = generator.get("selector")
    if not isinstance(selector, Mapping):
        return parameters
    return [one for one in parameters if matches(selector, dict(flat(one)) if around.go else one)]


def _listed(generator: Mapping[str, Any], around: Surroundings) -> list[Parameters]:
    elements = [mapping(one) for one in items(generator.get("elements"))]
    made = [dict(one) if around.go else dict(_texts(one)) for one in elements]
    text = str(generator.get("elementsYaml") or "")
    if text:
        more = _parsed(text, "error unmarshling decoded ElementsYaml")
        if more is not None and not (isinstance(more, list) and all(isinstance(one, dict) for one in more)):
            raise Unexpanded("error unmarshling decoded ElementsYaml: it is no list of mappings")
        made += more or []
    return made


def _texts(element: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A list element without goTemplate: texts only, those of `values` under their name."""
    for key, value in element.items():
        if key == "values":
            if not isinstance(value, Mapping):
                raise Unexpanded("error parsing values map")
            named = [(f"values.{name}", item) for name, item in value.items()]
        else:
            named = [(key, value)]
        for name, item in named:
            if not isinstance(item, str):
                raise Unexpanded(f"error parsing value as string: {name} is {item!r}")
            yield name, item


def _clustered(generator: Mapping[str, Any], around: Surroundings) -> list[Parameters]:
    if around.clusters is None:
        raise NotExpandable("the generator clusters (the settings name no clusters under render.clusters)")
    selector = mapping(generator.get("selector"))
    chosen = [
        one
        for one in around.clusters
        if (one.registered or not (selector.get("matchLabels") or selector.get("matchExpressions")))
        and matches(selector, one.labels)
    ]
    made = []
    for one in chosen:
        base: Parameters = {
            "name": one.name,
            "nameNormalized": normalized(one.name),
            "server": one.server,
            "project": one.project,
        }
        metadata = {"labels": dict(one.labels), "annotations": dict(one.annotations)}
        if around.go:
            base["metadata"] = {kind: values for kind, values in metadata.items() if values}
        else:
            base |= dict(flat(metadata, "metadata"))
        made.append(base)
    made = _with_values(made, generator, around)
    return [{"clusters": made}] if generator.get("flatList") else made


def _from_git(generator: Mapping[str, Any], around: Surroundings) -> list[Parameters]:
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
    return _with_values(parameters, generator, around)


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
    value = _parsed(content, f"unable to parse file {path}")
    if value is None:
        return [{}]
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return value or [{}]
    if isinstance(value, dict):
        return [value]
    raise Unexpanded(f"unable to parse file {path}: it is neither a mapping nor a list of mappings")


def _parsed(text: str | bytes, what: str) -> Any:
    try:
        return yaml_1_1.load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise Unexpanded(f"{what}: {getattr(error, 'problem', None) or error}") from error


def _with_values(
    parameters: list[Parameters], generator: Mapping[str, Any], around: Surroundings
) -> list[Parameters]:
    """Each set with the generator's `values`, which are templates of its own parameters."""
    values = mapping(generator.get("values"))
    if not values or not parameters:
        return parameters
    written = {key: str(value) for key, value in values.items()}
    filled = fill([written] * len(parameters), parameters, around)
    if around.go:
        return [{**one, "values": own} for one, own in zip(parameters, filled, strict=True)]
    return [
        {**one, **{f"values.{key}": text for key, text in own.items()}}
        for one, own in zip(parameters, filled, strict=True)
    ]


def _matrix(generator: Mapping[str, Any], around: Surroundings) -> list[Parameters]:
    children = items(generator.get("generators"))
    if len(children) != 2:
        raise Unexpanded(f"found {len(children)} generators, but matrix generator needs exactly 2")
    first = generated(mapping(children[0]), around)
    filled = fill([children[1]] * len(first), first, around)
    return [
        combined(one, other, go=around.go)
        for one, second in zip(first, filled, strict=True)
        for other in generated(mapping(second), around)
    ]


def _merge(generator: Mapping[str, Any], around: Surroundings) -> list[Parameters]:
    children, keys = items(generator.get("generators")), items(generator.get("mergeKeys"))
    if len(children) < 2:
        raise Unexpanded("found less than two generators, Merge requires two or more")
    if not keys:
        raise Unexpanded("no merge keys were specified, Merge requires at least one")
    return merged_by(
        [generated(mapping(one), around) for one in children], list(map(str, keys)), go=around.go
    )


def fill(values: Sequence[object], parameters: Sequence[Parameters], around: Surroundings) -> list[Any]:
    """Each value with its parameters in place of its templates."""
    if around.go:
        return templates.go(values, parameters, around.options)
    return [templates.plain(value, given) for value, given in zip(values, parameters, strict=True)]


_MAKERS: Mapping[str, Callable[[Mapping[str, Any], Surroundings], list[Parameters]]] = {
    "list": _listed,
    "clusters": _clustered,
    "git": _from_git,
    "matrix": _matrix,
    "merge": _merge,
}
