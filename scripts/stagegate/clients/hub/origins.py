"""The origin of commits: their authors, and the pull request that brought each to a branch."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import TooLarge
from stagegate.clients.hub.values import CommitOrigin

_BATCH = 400  # commits in one query; halved where GitHub finds that too much
_FOUND = """... on Commit { author { user { login } }
  associatedPullRequests(first: 10) { nodes { number url merged baseRefName author { login }
    labels(first: 50) { nodes { name } } } } }"""


class _Login(msgspec.Struct, frozen=True):
    login: str = ""


class _Author(msgspec.Struct, frozen=True):
    user: _Login | None = None


class _Label(msgspec.Struct, frozen=True):
    name: str


class _Labels(msgspec.Struct, frozen=True):
    nodes: list[_Label] = []


class _Pull(msgspec.Struct, frozen=True, rename="camel"):
    number: int
    url: str
    merged: bool
    base_ref_name: str
    author: _Login | None = None
    labels: _Labels | None = None


class _Pulls(msgspec.Struct, frozen=True):
    nodes: list[_Pull] = []


class _Commit(msgspec.Struct, frozen=True, rename="camel"):
    author: _Author | None = None
    associated_pull_requests: _Pulls | None = None


class _Answer(msgspec.Struct, frozen=True):
    repository: dict[str, _Commit | None]


class Origins(Port):
    """Authors and pull requests of commits."""

    def origins(self, shas: Sequence[str], base: str) -> dict[str, CommitOrigin]:
        """The origin of each commit that GitHub has; of several pull requests the newest merged into `base`.

        One query for up to 400 commits. Stop(missing-permission) without `pull-requests: read`.
        """
        responses: dict[str, CommitOrigin] = {}
        for start in range(0, len(shas), _BATCH):
            responses |= self._portion(shas[start : start + _BATCH], base)
        return responses

    def _portion(self, shas: Sequence[str], base: str) -> dict[str, CommitOrigin]:
        fields = " ".join(
            f'c{number}: object(oid: "{sha}") {{ {_FOUND} }}' for number, sha in enumerate(shas)
        )
        text = f"query($owner: String!, $name: String!) {{ repository(owner: $owner, name: $name) {{ {fields} }} }}"
        try:
            response = self._c.query(
                text, {}, _Answer, "read pull requests of commits", "pull-requests: read"
            )
        except TooLarge:
            if len(shas) == 1:
                raise
            half = len(shas) // 2
            return self._portion(shas[:half], base) | self._portion(shas[half:], base)
        origins = ((sha, response.repository[f"c{number}"]) for number, sha in enumerate(shas))
        return {sha: _origin(commit, base) for sha, commit in origins if commit}


def _origin(commit: _Commit, base: str) -> CommitOrigin:
    pulls = commit.associated_pull_requests.nodes if commit.associated_pull_requests else []
    merged = [pull for pull in pulls if pull.merged]
    pull = max(merged, key=lambda pull: (pull.base_ref_name == base, pull.number), default=None)
    login = commit.author.user.login if commit.author and commit.author.user else ""
    if pull is None:
        return CommitOrigin(author=login)
    return CommitOrigin(
        author=login or (pull.author.login if pull.author else ""),
        number=pull.number,
        url=pull.url,
        labels=tuple(label.name for label in pull.labels.nodes) if pull.labels else (),
    )
