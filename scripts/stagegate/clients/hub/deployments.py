"""Writes deployments as records, without GitHub's own conditions, and reads them with statuses and creators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import msgspec

from stagegate.clients.hub import memory
from stagegate.clients.hub.accounts import ACTOR, Account, actor_of
from stagegate.clients.hub.client import PAGE
from stagegate.clients.hub.memory import remembered
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import TooLarge
from stagegate.clients.hub.statuses import short
from stagegate.clients.hub.transport import settle
from stagegate.clients.hub.values import Deployment, DeploymentStatus
from stagegate.errors import Stop


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


class _Statuses(msgspec.Struct, frozen=True):
    nodes: list[_DeploymentStatus]


class _Node(msgspec.Struct, frozen=True, rename="camel"):
    statuses: _Statuses
    latest_status: _DeploymentStatus | None = None

    def newest_first(self) -> tuple[DeploymentStatus, ...]:
        """The latest status first, whether it was listed or not.

        GitHub promises no order of the list, which ends after 100, but says which status is the latest.
        """
        latest = self.latest_status
        listed = self.statuses.nodes
        if len(listed) >= _MOST:
            raise Stop(
                "unknown-state",
                "A GitHub deployment has so many statuses that stagegate may not have read the "
                "status that decides.",
                f"GitHub returned {len(listed)} statuses, but a gate writes only two or three.",
                "Find out who adds statuses to the deployments, then run the gate of this environment again.",
            )
        if latest is None or latest.id not in (listed[0].id, listed[-1].id) if listed else False:
            listed = sorted(listed, key=lambda status: status.created_at, reverse=True)
        elif latest and listed and listed[0].id != latest.id:
            listed = listed[::-1]
        earlier = [status for status in listed if latest is None or status.id != latest.id]
        return tuple(status.value() for status in ([latest] if latest else []) + earlier)


class _Deployment(msgspec.Struct, frozen=True):
    id: int
    node_id: str
    sha: str
    task: str
    environment: str
    created_at: str
    payload: dict[str, Any] | str | None = None
    creator: Account | None = None

    def value(self, statuses: tuple[DeploymentStatus, ...]) -> Deployment:
        return Deployment(
            id=self.id,
            sha=self.sha,
            task=self.task,
            environment=self.environment,
            payload=payload_of(self.payload),
            creator=actor_of(self.creator),
            created_at=self.created_at,
            statuses=statuses,
        )


_MOST = 100  # statuses of one deployment in a response
_RECORD = """
fragment status on DeploymentStatus { id state description createdAt logUrl creator { ...who } }
fragment record on Deployment { latestStatus { ...status } statuses(first: 100) { nodes { ...status } } }"""


def payload_of(payload: dict[str, Any] | str | None) -> dict[str, Any]:
    """A payload as an object; GitHub hands some back as JSON inside a JSON string. Unreadable: {}."""
    value: object = payload
    for _ in range(2):
        if not isinstance(value, str):
            break
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return {}
    return value if isinstance(value, dict) else {}


class Deployments(Port):
    """The states of environments."""

    @remembered
    def deployments(
        self, task: str, environment: str | None = None, sha: str | None = None, first: int = 30
    ) -> list[Deployment]:
        """The newest `first` deployments of a task, newest first, with statuses: two calls for 100 of them.

        In a run that remembers, those of every environment of a task are read at once.
        """
        if memory.current() is not None and environment is not None and sha is None:
            newest, complete = self.newest_deployments(task)
            matching = [deployment for deployment in newest if deployment.environment == environment]
            if complete or len(matching) >= first:
                return matching[:first]
        pages = self.deployment_pages(task, environment, sha, min(first, PAGE))
        return list(islice(chain.from_iterable(pages), first))

    def _all(self, task: str, environment: str, sha: str | None) -> list[Deployment] | None:
        """Every deployment of a task in an environment (and of a commit), where a list that was read has them all.

        Those of one commit are read in all environments at once, unless those of all commits were read.
        """
        if memory.current() is None:
            return None
        newest: list[Deployment] = []
        complete = False
        if memory.knows(self, "newest_deployments", (task,)):
            newest, complete = self.newest_deployments(task)
        if not complete and sha is not None:
            newest, complete = self.newest_deployments(task, sha)
        matching = [
            deployment
            for deployment in newest
            if deployment.environment == environment and sha in (None, deployment.sha)
        ]
        return matching if complete else None

    @remembered
    def newest_deployments(self, task: str, sha: str | None = None) -> tuple[list[Deployment], bool]:
        """The newest 100 deployments of a task (or of one commit) in all environments, and whether there are no
        others."""
        newest = next(self.deployment_pages(task, sha=sha), [])
        return newest, len(newest) < PAGE

    def deployment_pages(
        self, task: str, environment: str | None = None, sha: str | None = None, size: int = PAGE
    ) -> Iterator[list[Deployment]]:
        """Deployments of a task, newest first, with statuses, page by page: two calls for each that is asked for.

        REST filters by task and knows 64-bit ids, which GraphQL's databaseId does not; GraphQL gives the
        statuses of all of them at once. `size` is at most 100. No call where a list of this run has all of them.
        """
        cached = self._all(task, environment, sha) if environment is not None else None
        if cached is not None:
            yield from (cached[start : start + size] for start in range(0, len(cached), size))
            return
        filters = {"task": task, "environment": environment, "sha": sha}
        params: dict[str, str | int] = {name: value for name, value in filters.items() if value}
        params["per_page"] = size
        doing = f"read the deployments of {task}"
        listed = self._c.pages(self._c.path("deployments"), _Deployment, doing, "deployments: read", **params)
        while batch := list(islice(listed, size)):
            nodes = self._nodes([deployment.node_id for deployment in batch], doing)
            yield [
                deployment.value(node.newest_first())
                for deployment in batch
                if (node := nodes.get(deployment.node_id))  # otherwise it was deleted after it was listed
            ]

    def _nodes(self, ids: Sequence[str], doing: str) -> dict[str, _Node]:
        """The statuses of deployments by node id; half of them at a time where GitHub finds all too much."""
        declared = ", ".join(f"$d{i}: ID!" for i in range(len(ids)))
        fields = " ".join(f"d{i}: node(id: $d{i}) {{ ...record }}" for i in range(len(ids)))
        text = f"query({declared}) {{ {fields} }}{_RECORD}{ACTOR}"
        variables = {f"d{i}": node for i, node in enumerate(ids)}
        try:
            nodes = self._c.query_nodes(text, variables, _Node, doing, "deployments: read")
        except TooLarge:
            if len(ids) == 1:
                raise
            half = len(ids) // 2
            return self._nodes(ids[:half], doing) | self._nodes(ids[half:], doing)
        return {ids[int(alias[1:])]: node for alias, node in nodes.items()}

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

        After a lost response one of ours with the same commit, task, environment and payload is taken as it.
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
            expected = msgspec.json.decode(msgspec.json.encode(payload))
            matching = (
                d.id
                for d in self.deployments(task, environment, sha)
                if d.payload == expected and self.viewer().same(d.creator)
            )
            return next(matching, None)

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
