"""Which environment a path or name means, and which environment comes before another. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath

Words = frozenset[str]
# The words people use for environments, in the order in which a release passes them.
_RANKS: Mapping[str, int] = {
    **dict.fromkeys(("dev", "develop", "development", "sandbox", "nonprod"), 1),
    **dict.fromkeys(("test", "testing", "tst", "qa", "sit", "int", "integration", "ci"), 2),
    **dict.fromkeys(("staging", "stage", "stg", "uat", "preprod", "preproduction", "acceptance", "acc"), 3),
    **dict.fromkeys(("demo", "canary", "pilot"), 4),
    **dict.fromkeys(("prod", "production", "prd", "live"), 5),
}
UNKNOWN = 4
PRODUCTION = 5
# Folders whose children are environments, whatever they are called.
_PARENTS = frozenset(
    ("environments", "environment", "envs", "env", "overlays", "overlay", "clusters", "stages", "variants")
)
# Words in a file's or folder's name that say nothing about the environment.
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
    """The environment that a file belongs to by its folders and name, or nothing.

    `words` are names of apps and repositories, which a name may contain besides. The deepest part with a known word
    decides; a region beside it, as in `prod/eu/app.yaml`, is a part of the name.
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
    """The environment that a name contains: `shop-prod-eu` of the app shop is `prod-eu`; nothing for another name.

    Words of the app and fillers such as `values` are left out. A name with other words is no environment.
    """
    lowered = name.lower()
    for word in sorted((word.lower() for word in words if word.lower() in lowered), key=len, reverse=True):
        lowered = re.sub(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", "-", lowered)
    tokens = [token for token in re.split(r"[^a-z0-9]+", lowered) if token and token not in _FILLERS]
    joined = "-".join(tokens).replace("pre-prod", "preprod").replace("non-prod", "nonprod")
    kept = [token for token in joined.split("-") if token]
    known = [token for token in kept if token in _RANKS]
    rest = "-".join(token for token in kept if token not in _RANKS)
    if not known or (rest and not _is_suffix(rest)):
        return ""
    return joined if _NAME.fullmatch(joined) else ""


def rank(name: str) -> int:
    """The place of an environment on the road, lower first: staging before prod. Unknown names come before prod."""
    tokens = name.lower().replace("pre-prod", "preprod").replace("non-prod", "nonprod").split("-")
    # `demo-staging` stages the demo: the lowest word decides.
    return min((_RANKS[token] for token in tokens if token in _RANKS), default=UNKNOWN)


def is_known(name: str) -> bool:
    """Whether the order of an environment follows from its name."""
    return any(token in _RANKS for token in re.split(r"-", name.lower().replace("pre-prod", "preprod")))


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Environments in the order of the road; equal ranks by name."""
    return tuple(sorted(dict.fromkeys(names), key=lambda name: (rank(name), name)))


def before(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """The environments in which a release must have passed first: all of the next lower rank. Empty for a first."""
    ranks = {other: rank(other) for other in names}
    lower = [value for value in ranks.values() if value < rank(name)]
    return tuple(other for other in in_order(ranks) if lower and ranks[other] == max(lower))


def _with_region(name: str, parts: list[str], index: int, words: Words) -> str:
    """`prod` with the region of a folder below or above it: `prod/eu/x.yaml` and `eu/prod/x.yaml` are `prod-eu`."""
    beside = [parts[place] for place in (index + 1, index - 1) if 0 <= place < len(parts)]
    for part in beside:
        region = part.lower()
        if _REGION.fullmatch(region) and region not in words and region not in name:
            return f"{name}-{region}"
    return name


def _is_suffix(text: str) -> bool:
    """Whether what a name has besides the known word is a region, a number or a colour, and no other subject."""
    return bool(
        _REGION.fullmatch(text) or re.fullmatch(r"\d{1,3}|[a-z]\d?|blue|green|primary|secondary", text)
    )
