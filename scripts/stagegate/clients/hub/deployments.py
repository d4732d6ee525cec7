"""Deployments as records: made without GitHub's own conditions, read with statuses and creators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stagegate.clients.hub.accounts import ACTOR, Account, actor_of
from stagegate.clients.hub.line import settle
from stagegate.clients.hub.port import Port
from stagegate.clients.hub.statuses import short
from stagegate.clients.hub.values import Deployment, DeploymentStatus


class _Said(msgspec.Struct, frozen=True):
    state: str
    description: str | None = None


class _Id(msgspec.Struct, frozen=True):
    id: int


class _DeploymentStatus(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    state: str
    created_at: str
    description: str | None = None
    log_url: str | None = None
    creator: Account | None = None

    def value(self) -> DeploymentStatus:
        return DeploymentStatus(
            state=self.state.lower(),
            description=self.description or "",
            created_at=self.created_at,
            creator=actor_of(self.creator),
            log_url=self.log_url or "",
        )


class _NodeId(msgspec.Struct, frozen=True):
    id: str


class _Statuses(msgspec.Struct, frozen=True):
    nodes: list[_DeploymentStatus]


class _Deployment(msgspec.Struct, frozen=True, rename="camel"):
    database_id: int
    commit_oid: str
    created_at: str
    statuses: _Statuses
    task: str | None = None
    environment: str | None = None
    payload: str | None = None
    creator: Account | None = None
    latest_status: _NodeId | None = None

    def value(self) -> Deployment:
        listed = self.statuses.nodes
        # The order of a connection is not promised: the latest status says which end is the new one.
        if self.latest_status and len(listed) > 1 and listed[-1].id == self.latest_status.id:
            listed = listed[::-1]
        return Deployment(
            id=self.database_id,
            sha=self.commit_oid,
            task=self.task or "",
            environment=self.environment or "",
            payload=payload_of(self.payload),
            creator=actor_of(self.creator),
            created_at=self.created_at,
            statuses=tuple(status.value() for status in listed),
        )


class _PageInfo(msgspec.Struct, frozen=True, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Deployments(msgspec.Struct, frozen=True, rename="camel"):
    nodes: list[_Deployment]
    page_info: _PageInfo


class _Holder(msgspec.Struct, frozen=True):
    deployments: _Deployments | None = None


class _OfCommit(msgspec.Struct, frozen=True):
    object: _Holder | None


class _ByRepository(msgspec.Struct, frozen=True):
    repository: _Holder


class _ByCommit(msgspec.Struct, frozen=True):
    repository: _OfCommit


_LIST = """
fragment list on DeploymentConnection {
  nodes { databaseId commitOid task environment payload createdAt creator { ...who } latestStatus { id }
    statuses(first: 30) { nodes { id state description createdAt logUrl creator { ...who } } } }
  pageInfo { hasNextPage endCursor } }"""

_OF_REPOSITORY = (
    """query($owner: String!, $name: String!, $environments: [String!], $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    deployments(environments: $environments, first: $first, after: $after,
      orderBy: {field: CREATED_AT, direction: DESC}) { ...list } } }"""
    + _LIST
    + ACTOR
)

_OF_COMMIT = (
    """query($owner: String!, $name: String!, $environments: [String!], $first: Int!, $after: String,
    $sha: GitObjectID!) {
  repository(owner: $owner, name: $name) { object(oid: $sha) { ... on Commit {
    deployments(environments: $environments, first: $first, after: $after,
      orderBy: {field: CREATED_AT, direction: DESC}) { ...list } } } } }"""
    + _LIST
    + ACTOR
)


def payload_of(text: str | None) -> dict[str, Any]:
    """A payload as an object; GitHub hands some back as JSON inside a JSON string. Unreadable: {}."""
    value: object = text
    for _ in range(2):
        if not isinstance(value, str):
            break
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return {}
    return value if isinstance(value, dict) else {}


class Deployments(Port):
    """What environments were given."""

    def deployments(
        self, task: str, environment: str | None = None, sha: str | None = None, first: int = 30
    ) -> list[Deployment]:
        """The newest `first` deployments of a task, newest first, with statuses: one query for a few."""
        text = _OF_COMMIT if sha else _OF_REPOSITORY
        found: list[Deployment] = []
        after: str | None = None
        while True:
            variables = {
                "environments": [environment] if environment else None,
                "first": min(max(first, 30), 100),
                "after": after,
                **({"sha": sha} if sha else {}),
            }
            page = self._page(text, variables, f"read the deployments of {task}", bool(sha))
            if page is None:
                return found
            found += [node.value() for node in page.nodes if node.task == task]
            if len(found) >= first or not page.page_info.has_next_page:
                return found[:first]
            after = page.page_info.end_cursor

    def _page(self, text: str, variables: Mapping[str, Any], doing: str, commit: bool) -> _Deployments | None:
        if not commit:
            return self._c.query(
                text, variables, _ByRepository, doing, "deployments: read"
            ).repository.deployments
        holder = self._c.query(text, variables, _ByCommit, doing, "deployments: read").repository.object
        return holder.deployments if holder else None

    def create_deployment(
        self,
        sha: str,
        task: str,
        environment: str,
        payload: Mapping[str, Any],
        description: str,
        production: bool,
    ) -> int:
        """Record a deployment of exactly this commit; its id. GitHub neither merges nor waits for checks.

        After a lost answer one of ours with the same commit, task, environment and payload is taken as it.
        """
        body = {
            "ref": sha,
            "task": task,
            "environment": environment,
            "payload": dict(payload),
            "description": short(description),
            "auto_merge": False,
            "required_contexts": [],
            "production_environment": production,
        }
        doing = f"record a deployment of {sha[:12]} to {environment}"

        def create() -> int:
            return self._c.write(
                "POST", self._c.path("deployments"), body, doing, "deployments: write", _Id
            ).id

        def find() -> int | None:
            wanted = msgspec.json.decode(msgspec.json.encode(payload))
            ours = (
                d.id
                for d in self.deployments(task, environment, sha)
                if d.payload == wanted and self.viewer().same(d.creator)
            )
            return next(ours, None)

        return settle(create, find)

    def create_deployment_status(
        self, id: int, state: str, description: str, log_url: str, environment_url: str = ""
    ) -> None:
        """Give a deployment its state, without touching the state of any other deployment."""
        body = {
            "state": state,
            "description": short(description),
            "log_url": log_url,
            "auto_inactive": False,
            **({"environment_url": environment_url} if environment_url else {}),
        }
        path = self._c.path("deployments", id, "statuses")
        doing = f"set deployment {id} to {state}"

        def create() -> bool:
            self._c.write("POST", path, body, doing, "deployments: write", _Id)
            return True

        def find() -> bool | None:
            newest = next(self._c.pages(path, _Said, doing, "deployments: read"), None)
            same = newest and (newest.state, newest.description or "") == (state, body["description"])
            return True if same else None

        settle(create, find)
