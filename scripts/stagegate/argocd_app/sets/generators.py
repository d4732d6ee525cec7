"""What each generator of an ApplicationSet yields, as Argo CD's controller does it.

https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Generators/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stagegate.argocd_app.sets.git_generator import from_git
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
from stagegate.argocd_app.sets.surroundings import KnownCluster, Surroundings, fill, parsed, with_values
from stagegate.argocd_app.sources import items, mapping

__all__ = ["KnownCluster", "Surroundings", "fill", "generated"]

_KINDS = (
    *("list", "clusters", "git", "matrix", "merge"),
    *("scmProvider", "pullRequest", "clusterDecisionResource", "plugin"),
)


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
        more = parsed(text, "error unmarshling decoded ElementsYaml")
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
        raise NotExpandable("the generator `clusters` (the settings name no clusters under render.clusters)")
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
    made = with_values(made, generator, around)
    return [{"clusters": made}] if generator.get("flatList") else made


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


_MAKERS: Mapping[str, Callable[[Mapping[str, Any], Surroundings], list[Parameters]]] = {
    "list": _listed,
    "clusters": _clustered,
    "git": from_git,
    "matrix": _matrix,
    "merge": _merge,
}
