"""The surroundings that generators of an ApplicationSet read, and helpers that several generators share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.sets import templates
from stagegate.argocd_app.sets.parameters import Parameters, Unexpanded
from stagegate.argocd_app.sources import mapping
from stagegate.argocd_app.tree import Tree


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
    """The inputs of generators: the files of repositories, and the clusters (None: unknown).

    `tree(address, revision)` raises Stop or NotExpandable for what cannot be read.
    """

    tree: Callable[[str, str], Tree]
    clusters: tuple[KnownCluster, ...] | None = None
    go: bool = False
    options: tuple[str, ...] = ()


def parsed(text: str | bytes, what: str) -> Any:
    """The YAML of a text. Unexpanded, in the words of Argo CD, where it is none."""
    try:
        return yaml_1_1.load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise Unexpanded(f"{what}: {getattr(error, 'problem', None) or error}") from error


def with_values(
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


def fill(values: Sequence[object], parameters: Sequence[Parameters], around: Surroundings) -> list[Any]:
    """Each value with its parameters in place of its templates."""
    if around.go:
        return templates.go(values, parameters, around.options)
    return [templates.plain(value, given) for value, given in zip(values, parameters, strict=True)]
