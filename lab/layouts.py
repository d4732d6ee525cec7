"""Which repositories a lab has, and what stands in them when it opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ROBOT = "octo-robot"


@dataclass(frozen=True)
class Tree:
    """A folder of this project that becomes the content of a repository, without `leave_out` (paths in it)."""

    folder: str
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Token:
    """A secret that reaches another repository: its name, the GitHub Environments that hold it, its rights."""

    name: str
    environments: tuple[str, ...]
    repository: str
    rights: Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """The app repository (code, tags, evidence) and the one that holds the pins; often they are one.

    `policy` is the settings file there, `manifests` the folder of the Applications. `trees` fill each
    repository, later ones over earlier ones.
    `tokens`: of each repository, those that reach another.
    """

    app: str
    pins: str
    policy: str
    manifests: str
    trees: Mapping[str, tuple[Tree, ...]]
    tokens: Mapping[str, tuple[Token, ...]]


ONE = Layout(
    "acme/shop", "acme/shop", "stagegate.yaml", "deploy/argocd", {"acme/shop": (Tree("examples/shop"),)}, {}
)

_WRITES_EVIDENCE = {
    "metadata": "read",
    "contents": "write",
    "statuses": "write",
    "deployments": "write",
    "pull_requests": "read",
}
TWO = Layout(
    "acme/shop",
    "acme/gitops",
    "apps/shop/stagegate.yaml",
    "apps/shop/argocd",
    {
        "acme/shop": (
            Tree("examples/shop", leave_out=("deploy", ".github")),
            Tree("examples/two-repositories/app"),
        ),
        "acme/gitops": (Tree("examples/two-repositories/gitops"),),
    },
    {
        "acme/shop": (
            Token("GITOPS_TOKEN", ("gitops",), "acme/gitops", {"metadata": "read", "contents": "write"}),
        ),
        "acme/gitops": (
            Token("SOURCE_TOKEN", ("stagegate", "staging", "prod"), "acme/shop", _WRITES_EVIDENCE),
        ),
    },
)
