"""The repositories of a lab, and their content at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

ROBOT = "octo-robot"


@dataclass(frozen=True)
class Tree:
    """A folder of this project that becomes (`below` a folder) the content of a repository.

    `leave_out` are folders in it that stay out.
    """

    folder: str
    leave_out: tuple[str, ...] = ()
    below: str = "."


@dataclass(frozen=True)
class Token:
    """A secret with a token for another repository: its name, its GitHub Environments, its permissions."""

    name: str
    environments: tuple[str, ...]
    repository: str
    rights: Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """The app repository (code, tags, evidence) and the one that holds the pins; often they are one.

    `policy` is the settings file there, `manifests` the folder of the Applications, `github_environment` the form
    of the names of the GitHub Environments. `trees` fill each repository, later ones over earlier ones; in every
    file the `words` are replaced. `charts_apart`: charts have a registry of their own, with Basic auth. `tokens`:
    of each repository, those that reach another.
    """

    app: str
    pins: str
    policy: str
    manifests: str
    trees: Mapping[str, tuple[Tree, ...]]
    tokens: Mapping[str, tuple[Token, ...]]
    github_environment: str = "{name}"
    charts_apart: bool = False
    words: Mapping[str, str] = field(default_factory=dict)

    def worded(self, content: bytes) -> bytes:
        """A file with this layout's words."""
        for old, new in self.words.items():
            content = content.replace(old.encode(), new.encode())
        return content

    def holder(self, environment: str) -> str:
        """The GitHub Environment that holds the variables and secrets of an environment."""
        return self.github_environment.replace("{name}", environment)


ONE = Layout(
    "acme/shop", "acme/shop", "stagegate.yaml", "deploy/argocd", {"acme/shop": (Tree("examples/shop"),)}, {}
)

CALLED = replace(
    ONE,
    trees={
        "acme/shop": (
            Tree("examples/shop", leave_out=(".github",)),
            Tree("examples/shop/.github/workflows", leave_out=("stagegate.yml",), below=".github/workflows"),
            Tree("examples/called/.github", below=".github"),
        )
    },
)

_SECRETS = "      STAGEGATE_VARIABLES: ${{ secrets.STAGEGATE_VARIABLES }}\n"
_LOGIN = "".join(f"      {n}: ${{{{ secrets.{n} }}}}\n" for n in ("REGISTRY_USERNAME", "REGISTRY_PASSWORD"))
_CALLED = "    uses: acme/stagegate/.github/workflows/{}.yml@v0.1.0\n"
_RUNNER = '      runs-on: \'["self-hosted", "lab-runner"]\'\n'
APART = replace(
    ONE,
    charts_apart=True,
    words={
        _SECRETS: _SECRETS + _LOGIN,
        **{
            _CALLED.format(name): f"{_CALLED.format(name)}    with:\n{_RUNNER}"
            for name in ("version", "events")
        },
        f"{_CALLED.format('road')}    with:\n": f"{_CALLED.format('road')}    with:\n{_RUNNER}",
    },
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
            Token("PINS_TOKEN", ("stagegate",), "acme/gitops", {"metadata": "read", "actions": "write"}),
        ),
        "acme/gitops": (
            Token("SOURCE_TOKEN", ("stagegate", "shop-staging", "shop-prod"), "acme/shop", _WRITES_EVIDENCE),
        ),
    },
    github_environment="shop-{name}",
)
