"""The sources of GraphQL fields: Git objects with their repository, and a look-up of any node by its id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lab.forge.records import Comment, Deployment, Label, Labeling, PullRequest, Release, Review, Thread
from lab.forge.refusal import Refusal, not_found
from lab.forge.state import Repository, World
from lab.forge.values import Asset, DeploymentStatus, Status, Token, User


@dataclass(frozen=True)
class Asker:
    """The caller of a query."""

    world: World
    token: Token


@dataclass(frozen=True)
class GitNode:
    """A Git object of a repository; `kind` is Commit, Tag, Blob or Tree."""

    repository: Repository
    oid: str
    kind: str


@dataclass(frozen=True)
class RefNode:
    """A reference."""

    repository: Repository
    name: str


@dataclass(frozen=True)
class StatusNode:
    """All newest statuses of a commit."""

    commit: GitNode


@dataclass(frozen=True)
class ContextNode:
    """One status."""

    commit: GitNode
    status: Status


@dataclass(frozen=True)
class DeploymentStatusNode:
    """One state of a deployment."""

    deployment: Deployment
    status: DeploymentStatus


@dataclass(frozen=True)
class PullCommitNode:
    """A commit in a pull request."""

    pull: PullRequest
    commit: GitNode


@dataclass(frozen=True)
class AssetNode:
    """A file of a release."""

    release: Release
    asset: Asset


@dataclass(frozen=True)
class Connection:
    """A page of items with their cursors."""

    items: tuple[object, ...]
    offset: int
    total: int


@dataclass(frozen=True)
class Edge:
    """One item with its cursor."""

    node: object
    cursor: str


NAMES: dict[type, str] = {
    Repository: "Repository", RefNode: "Ref", StatusNode: "Status", ContextNode: "StatusContext",
    Deployment: "Deployment", DeploymentStatusNode: "DeploymentStatus", PullRequest: "PullRequest", Thread: "Issue",
    Comment: "IssueComment", Review: "PullRequestReview", Label: "Label", Release: "Release",
    Labeling: "LabeledEvent", AssetNode: "ReleaseAsset", PullCommitNode: "PullRequestCommit",
}  # fmt: skip


def type_name(value: object) -> str:
    """The GraphQL type of a value."""
    if isinstance(value, Mapping):
        return str(value["__typename"])
    if isinstance(value, GitNode):
        return value.kind
    if isinstance(value, User):
        return value.type
    return NAMES[type(value)]


def git_node(repo: Repository, oid: str) -> GitNode | None:
    """The object of this id, or None."""
    kind = repo.store.type_of(oid)
    return GitNode(repo, oid, kind.capitalize()) if kind else None


PREFIXES = {
    "Repository": "R", "Deployment": "DE", "PullRequest": "PR", "Issue": "I", "IssueComment": "IC",
    "PullRequestReview": "PRR", "Label": "LA", "LabeledEvent": "LE", "Release": "RE",
}  # fmt: skip


def node_id(value: object) -> str:
    """The global id of anything."""
    if isinstance(value, User):
        return value.node_id
    if isinstance(value, GitNode):
        return f"{value.kind[0]}_{value.repository.id}_{value.oid}"
    if isinstance(value, RefNode):
        return f"REF_{value.repository.id}_{value.name}"
    if isinstance(value, StatusNode):
        return f"S_{value.commit.repository.id}_{value.commit.oid}"
    if isinstance(value, ContextNode):
        return f"SC_{value.status.id}"
    if isinstance(value, DeploymentStatusNode):
        return f"DES_{value.status.id}"
    if isinstance(value, AssetNode):
        return f"RA_{value.asset.id}"
    if isinstance(value, PullCommitNode):
        return f"PURC_{value.pull.id}_{value.commit.oid}"
    number = getattr(value, "id", None)
    return f"{PREFIXES[type_name(value)]}_{number}"


def find_node(world: World, node_id: str) -> object:
    """The record of a global id; NOT_FOUND in GitHub's words otherwise."""
    prefix, _, number = node_id.partition("_")
    for repo in world.repositories.values():
        record = _inside(repo, prefix, number)
        if record is not None:
            return record
    for user in world.users.values():
        if user.node_id == node_id:
            return user
    raise not_found(f"Could not resolve to a node with the global id of '{node_id}'")


def _inside(repo: Repository, prefix: str, identifier: str) -> object | None:
    if prefix == "R" and identifier == str(repo.id):
        return repo
    if prefix == "REF" and identifier.startswith(f"{repo.id}_"):
        name = identifier.partition("_")[2]
        return RefNode(repo, name) if repo.store.ref(name) else None
    if prefix == "C" and identifier.startswith(f"{repo.id}_"):
        return git_node(repo, identifier.partition("_")[2])
    if not identifier.isdigit():
        return None
    number = int(identifier)
    records: list[Thread | Deployment | Release] = [*repo.threads.values(), *repo.deployments, *repo.releases]
    for record in records:
        if record.id == number and PREFIXES[type_name(record)] == prefix:
            return record
    for pull in repo.pulls:
        for review in pull.reviews:
            if prefix == "PRR" and review.id == number:
                return review
    return None


def page(
    items: list[object], field: str, first: int | None, last: int | None, after: str | None
) -> Connection:
    """A page by `first`/`after` or `last`; GitHub insists on a boundary and on at most 100."""
    if first is None and last is None:
        message = f"You must provide a `first` or `last` value to properly paginate the `{field}` connection."
        raise Refusal(422, message, kind="MISSING_PAGINATION_BOUNDARIES")
    size = first if first is not None else last or 0
    if not 0 <= size <= 100:
        message = (
            f"Requesting {size} records on the `{field}` connection exceeds the `first` limit of 100 records."
        )
        raise Refusal(422, message, kind="EXCESSIVE_PAGINATION")
    start = int(after.removeprefix("cursor:")) if after else 0
    if first is not None:
        part = items[start : start + first]
    else:
        start = max(start, len(items) - size)
        part = items[start:]
    return Connection(tuple(part), start, len(items))
