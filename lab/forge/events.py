"""The events that GitHub would have sent; one that would start no workflow is marked with the reason."""

from __future__ import annotations

import re
import time

from lab.forge import shapes
from lab.forge.exchange import Links
from lab.forge.git_objects import Commit
from lab.forge.state import Repository, World
from lab.forge.values import ZERO, Activity, Body, Event, Token

SKIP = re.compile(
    r"\[(skip ci|ci skip|no ci|skip actions|actions skip)\]|^skip-checks:\s*true$",
    re.IGNORECASE | re.MULTILINE,
)
STARTED_BY_GITHUB_TOKEN = ("workflow_dispatch", "repository_dispatch")


def links(world: World) -> Links:
    """Addresses inside payloads."""
    return Links(world.url, world.url)


def emit(
    repo: Repository,
    name: str,
    token: Token | None,
    payload: Body,
    *,
    action: str | None = None,
    ref: str = "",
    sha: str = "",
    paths: tuple[str, ...] = (),
    run: int | None = None,
    swallowed: str = "",
) -> Event:
    """Record one event; `token` None is GitHub itself. `swallowed` is a reason that only the caller has."""
    world = repo.world
    main = f"refs/heads/{repo.default_branch}"
    sha = sha or repo.store.ref(main) or ZERO
    reason = swallowed or _reason(repo, name, token, sha)
    actor = token.user if token else world.actions_bot
    body = payload | {
        "repository": shapes.repository(links(world), repo), "sender": shapes.user(links(world), actor),
    }  # fmt: skip
    if action:
        body = {"action": action} | body
    if token and token.app:
        body["installation"] = {"id": token.app.installation_id}
    event = Event(
        len(world.events) + 1, repo.full_name, name, action, ref or main, sha, actor.login, body,
        bool(reason), reason, paths, run,
    )  # fmt: skip
    with world.news:
        world.events.append(event)
        world.news.notify_all()
    return event


class Feed:
    """The events of a forge, each handed out once."""

    def __init__(self, world: World) -> None:
        self._world, self._taken = world, 0

    def next(self, timeout: float) -> Event | None:
        """The next event that was not taken before; None after `timeout` seconds without one."""
        until = time.monotonic() + timeout
        with self._world.news:
            while len(self._world.events) <= self._taken:
                remaining = until - time.monotonic()
                if remaining <= 0 or not self._world.news.wait(remaining):
                    return None
            self._taken += 1
            return self._world.events[self._taken - 1]

    def drain(self) -> list[Event]:
        """All events that were not taken before."""
        with self._world.lock:
            fresh = self._world.events[self._taken :]
            self._taken = len(self._world.events)
            return fresh


def _reason(repo: Repository, name: str, token: Token | None, sha: str) -> str:
    if token and token.kind == "actions" and name not in STARTED_BY_GITHUB_TOKEN:
        return "caused by GITHUB_TOKEN"
    if name in ("push", "pull_request") and repo.store.type_of(sha) == "commit":
        match = SKIP.search(repo.store.commit(sha).message)
        if match:
            return f"the head commit says {match.group(0)}"
    return ""


def ref_moved(
    repo: Repository, token: Token, name: str, before: str, after: str, *, crowd: bool = False
) -> None:
    """Activity, `create`, `delete` and `push` for one moved ref. `crowd`: more than three tags in one push."""
    _remember(repo, token, name, before, after)
    kind = {"refs/heads": "branch", "refs/tags": "tag"}.get("/".join(name.split("/")[:2]))
    if kind is None:
        return
    short = name.split("/", 2)[2]
    about: Body = {"ref": short, "ref_type": kind, "pusher_type": "user"}
    why = "more than three tags in one push" if crowd else ""
    if after == ZERO:
        emit(repo, "delete", token, about, swallowed=why)
        _push(repo, token, name, before, after, why or "a deletion starts no push workflow")
        return
    if before == ZERO:
        more: Body = {"master_branch": repo.default_branch, "description": None}
        emit(repo, "create", token, about | more, ref=name, sha=_commit(repo, after), swallowed=why)
    _push(repo, token, name, before, after, why)


def _remember(repo: Repository, token: Token, name: str, before: str, after: str) -> None:
    kind = "push"
    if before == ZERO:
        kind = "branch_creation"
    elif after == ZERO:
        kind = "branch_deletion"
    elif not repo.store.is_ancestor(before, after):
        kind = "force_push"
    if name.startswith("refs/heads/"):
        world = repo.world
        repo.activity.append(Activity(world.next_id(), name, before, after, kind, token.user, world.now()))


def _push(repo: Repository, token: Token, name: str, before: str, after: str, why: str) -> None:
    head = _commit(repo, after) if after != ZERO else ""
    start = before if before != ZERO else ""
    commits: list[str] = []
    if head:
        excluded = [f"^{start}"] if start else [f"^{sha}" for sha in _others(repo, name)]
        commits = list(reversed(repo.store.rev_list("--max-count=20", head, *excluded)))
    body: Body = {
        "ref": name, "before": before, "after": after, "created": before == ZERO, "deleted": after == ZERO,
        "forced": bool(start and head) and not repo.store.is_ancestor(start, head), "base_ref": None,
        "compare": f"{repo.world.url}/{repo.full_name}/compare/{before[:12]}...{after[:12]}",
        "commits": [_pushed(repo, repo.store.commit(sha)) for sha in commits],
        "head_commit": _pushed(repo, repo.store.commit(head)) if head else None,
        "pusher": {"name": token.user.login, "email": token.user.email},
    }  # fmt: skip
    paths = repo.store.paths(start, head) if start and head and start != head else ()
    if head and not start and commits:
        first = repo.store.commit(commits[0]).parents
        paths = repo.store.paths(first[0], head) if first else _all_paths(repo, head)
    emit(repo, "push", token, body, ref=name, sha=head, paths=paths, swallowed=why)


def _others(repo: Repository, name: str) -> set[str]:
    return {sha for branch, sha in repo.store.refs("refs/heads/").items() if branch != name}


def _all_paths(repo: Repository, sha: str) -> tuple[str, ...]:
    return tuple(entry.path for entry in repo.store.entries(sha, recursive=True) if entry.type == "blob")


def _commit(repo: Repository, sha: str) -> str:
    return repo.store.resolve(f"{sha}^{{commit}}") or sha


def _pushed(repo: Repository, commit: Commit) -> Body:
    groups: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    if commit.parents:
        for change in repo.store.changes(commit.parents[0], commit.sha):
            groups[change.status if change.status in groups else "modified"].append(change.path)
    else:
        groups["added"] = list(_all_paths(repo, commit.sha))
    return {
        "id": commit.sha, "tree_id": commit.tree, "distinct": True, "message": commit.message,
        "timestamp": commit.author.date, "url": f"{repo.world.url}/{repo.full_name}/commit/{commit.sha}",
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email}, **groups,
    }  # fmt: skip
