"""Detects the environment in a path or name, and the order of environments. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath

Words = frozenset[str]
# Usual names of environments, in the order of a release.
_RANKS: Mapping[str, int] = {
    **dict.fromkeys(("dev", "develop", "development", "sandbox", "nonprod"), 1),
    **dict.fromkeys(("test", "testing", "tst", "qa", "sit", "int", "integration", "ci"), 2),
    **dict.fromkeys(("staging", "stage", "stg", "uat", "preprod", "preproduction", "acceptance", "acc"), 3),
    **dict.fromkeys(("demo", "canary", "pilot"), 4),
    **dict.fromkeys(("prod", "production", "prd", "live"), 5),
}
UNKNOWN = 4
PRODUCTION = 5
# Folders whose subfolders are environments, with any name.
_PARENTS = frozenset(
    ("environments", "environment", "envs", "env", "overlays", "overlay", "clusters", "stages", "variants")
)
# Words in names of files and folders that are unrelated to environments.
# fmt: off
_FILLERS = frozenset(
    {
        "values", "value", "application", "applications", "applicationset", "appset", "app", "apps",
        "argocd", "argo", "helm", "chart", "charts", "kustomize", "kustomization", "overlay", "override",
        "overrides", "cluster", "clusters", "env", "environment", "namespace", "ns", "config", "release",
        "deployment", "deploy", "image", "images", "tag", "tags", "version", "versions", "set",
    }
)
# fmt: on
_REGION = re.compile(
    r"(?:eu|us|ap|sa|af|me|ca|uk|de|fr|in|jp|au|asia|europe|emea|apac|americas|global|northeurope|westeurope)"
    r"(?:-?(?:north|south|east|west|central|northeast|northwest|southeast|southwest)\w*)?(?:-?\d+[a-z]?)?"
)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


@lru_cache(maxsize=1 << 16)
def of_path(path: str, words: Words = frozenset()) -> str:
    """The environment in the folders and name of a file, or nothing.

    `words` are names of apps and repositories, which are ignored. The deepest part with a usual name of an
    environment decides. A region beside it, as in `prod/eu/app.yaml`, becomes part of the name.
    """
    pure = PurePosixPath(path)
    parts = [*pure.parts[:-1], pure.name.split(".yaml")[0].split(".yml")[0].split(".json")[0]]
    names = [of_name(part, words) for part in parts]
    position = next((index for index in reversed(range(len(parts))) if names[index]), None)
    if position is not None:
        return _with_region(names[position], parts, position, words)
    for parent, child in pairwise(parts[:-1]):
        if parent.lower() in _PARENTS and _NAME.fullmatch(child.lower()) and child.lower() not in words:
            return child.lower()
    return ""


@lru_cache(maxsize=1 << 16)
def of_name(name: str, words: Words = frozenset()) -> str:
    """The environment in a name: `prod-eu` for `shop-prod-eu` of the app shop; nothing without one.

    Words of the app and fillers such as `values` are ignored. A name with other words is not an environment.
    """
    lowered = name.lower()
    for word in sorted((word.lower() for word in words if word.lower() in lowered), key=len, reverse=True):
        lowered = re.sub(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", "-", lowered)
    tokens = [token for token in re.split(r"[^a-z0-9]+", lowered) if token and token not in _FILLERS]
    joined = "-".join(tokens).replace("pre-prod", "preprod").replace("non-prod", "nonprod")
    environment_words = [token for token in joined.split("-") if token]
    known_words = [token for token in environment_words if token in _RANKS]
    suffix = "-".join(token for token in environment_words if token not in _RANKS)
    if not known_words or (suffix and not _is_suffix(suffix)):
        return ""
    return joined if _NAME.fullmatch(joined) else ""


def rank(name: str) -> int:
    """The rank of an environment: staging is lower than prod. Unknown names are lower than prod."""
    tokens = name.lower().replace("pre-prod", "preprod").replace("non-prod", "nonprod").split("-")
    # The lowest rank decides: `demo-staging` is the staging of demo.
    return min((_RANKS[token] for token in tokens if token in _RANKS), default=UNKNOWN)


def is_known(name: str) -> bool:
    """Whether the order of an environment follows from its name."""
    return any(token in _RANKS for token in re.split(r"-", name.lower().replace("pre-prod", "preprod")))


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Environments by rank, then by name."""
    return tuple(sorted(dict.fromkeys(names), key=lambda name: (rank(name), name)))


def before(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """The environments that a release must pass first: all of the next lower rank (none for the lowest)."""
    ranks = {other: rank(other) for other in names}
    lower = [value for value in ranks.values() if value < rank(name)]
    return tuple(other for other in in_order(ranks) if lower and ranks[other] == max(lower))


def _with_region(name: str, parts: list[str], index: int, words: Words) -> str:
    """The environment with the region beside it: `prod-eu` for `prod/eu/x.yaml` and `eu/prod/x.yaml`."""
    beside = [parts[place] for place in (index + 1, index - 1) if 0 <= place < len(parts)]
    for folder in beside:
        region = folder.lower()
        if _REGION.fullmatch(region) and region not in words and region not in name:
            return f"{name}-{region}"
    return name


def _is_suffix(text: str) -> bool:
    """Whether the rest of a name is a region, a number or a colour."""
    return bool(
        _REGION.fullmatch(text) or re.fullmatch(r"\d{1,3}|[a-z]\d?|blue|green|primary|secondary", text)
    )
