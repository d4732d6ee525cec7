"""A forge with one repository, and hubs on it that never really sleep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.forge import Forge
from stagegate.clients.hub import Hub, connect

REPOSITORY = "acme/shop"
RIGHTS = dict.fromkeys(("contents", "statuses", "deployments", "pull_requests", "issues", "actions"), "write")


class World:
    """`forge` with `acme/shop` seeded at `sha`, and one hub on it, `github`.

    `waits` are the seconds every hub would have slept.
    """

    def __init__(self, forge: Forge) -> None:
        self.forge = forge
        self.repo = forge.repository(REPOSITORY)
        self.waits: list[float] = []
        forge.user("octo-dev")
        forge.collaborator(REPOSITORY, "octo-dev", "write")
        self.github = self.hub()
        self.sha = self.repo.seed({"VERSION": "1.0.0\n", "README.md": "# Shop\n"})

    def hub(self, token: str = "", repository: str = REPOSITORY) -> Hub:
        """A hub for a token; without one, GITHUB_TOKEN with all the permissions a workflow may have."""
        token = token or self.actions(**RIGHTS)
        url = self.forge.url
        new = connect(repository, token, api_url=url, graphql_url=f"{url}/graphql", server_url=url, pace=0)
        new._c.sleep = self.waits.append
        return new

    def actions(self, **permissions: str) -> str:
        """A GITHUB_TOKEN with these permissions."""
        return self.forge.token("", "actions", repositories=[REPOSITORY], permissions=permissions)

    def person(self, login: str = "octo-dev") -> Hub:
        """A hub for a person's classic token."""
        return self.hub(self.forge.token(login))


@contextmanager
def world(root: Path) -> Iterator[World]:
    """The world while the block runs."""
    with Forge(root) as forge:
        yield World(forge)
