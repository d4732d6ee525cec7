"""Refs, commits, tags, trees, blobs, and the statuses of commits."""

from __future__ import annotations

from collections.abc import Mapping

from lab.forge.git_objects import Commit, Entry, Signature
from lab.forge.graph.arguments import Arguments, Field, Table
from lab.forge.graph.nodes import Asker, Connection, ContextNode, GitNode, RefNode, StatusNode, git_node, page
from lab.forge.permissions import demand
from lab.forge.records import PullRequest
from lab.forge.rules import applying, newest_statuses
from lab.forge.state import Repository
from lab.forge.values import Status, User


def connection(items: list[object], field: str, arguments: Arguments) -> Connection:
    """A page of a list, by the usual four arguments."""
    return page(
        items, field, arguments.number("first"), arguments.number("last"), arguments.text("after") or None
    )


def commit_node(repo: Repository, sha: str) -> GitNode:
    """A commit."""
    return GitNode(repo, sha, "Commit")


def parsed(node: GitNode) -> Commit:
    """The commit object of a node."""
    return node.repository.store.commit(node.oid)


def _actor(repo: Repository, by: Signature | None) -> Mapping[str, object] | None:
    """A Git identity; `user` is a person only, for bots it is null."""
    if by is None:
        return None
    person = repo.world.person_of(by.email)
    user: User | None = person if person and person.type == "User" else None
    avatar = f"{repo.world.url}/avatars/0"
    return {"name": by.name, "email": by.email, "date": by.date, "user": user, "avatarUrl": avatar}


def _target(_asker: Asker, ref: RefNode, _given: Arguments) -> GitNode | None:
    sha = ref.repository.store.ref(ref.name)
    return git_node(ref.repository, sha) if sha else None


def _history(_asker: Asker, node: GitNode, arguments: Arguments) -> Connection:
    options = [f"--{name}={arguments.text(name)}" for name in ("since", "until") if arguments.text(name)]
    path = arguments.text("path")
    shas = node.repository.store.rev_list(*options, node.oid, "--", *([path] if path else []))
    return connection([commit_node(node.repository, sha) for sha in shas], "history", arguments)


def _parents(_asker: Asker, node: GitNode, arguments: Arguments) -> Connection:
    return connection(
        [commit_node(node.repository, sha) for sha in parsed(node).parents], "parents", arguments
    )


def _signature(_asker: Asker, node: GitNode, _given: Arguments) -> Mapping[str, object] | None:
    if node.oid not in node.repository.world.signed:
        return None
    return {
        "__typename": "GpgSignature", "isValid": True, "state": "VALID", "wasSignedByGitHub": True,
        "email": parsed(node).committer.email, "signer": None, "keyId": None,
    }  # fmt: skip


def _status(asker: Asker, node: GitNode, _given: Arguments) -> StatusNode | None:
    demand(asker.token, node.repository, "statuses=read")
    return StatusNode(node) if newest_statuses(node.repository, node.oid) else None


def _newest(node: StatusNode) -> dict[str, Status]:
    return newest_statuses(node.commit.repository, node.commit.oid)


def _state(_asker: Asker, node: StatusNode, _given: Arguments) -> str:
    states = {status.state for status in _newest(node).values()}
    return next((name.upper() for name in ("error", "failure", "pending") if name in states), "SUCCESS")


def _contexts(_asker: Asker, node: StatusNode, _given: Arguments) -> list[ContextNode]:
    return [ContextNode(node.commit, status) for status in _newest(node).values()]


def _context(_asker: Asker, node: StatusNode, arguments: Arguments) -> ContextNode | None:
    status = _newest(node).get(arguments.text("name"))
    return ContextNode(node.commit, status) if status else None


def _required(_asker: Asker, node: ContextNode, arguments: Arguments) -> bool:
    repo, number = node.commit.repository, arguments.number("pullRequestNumber")
    pull = repo.threads.get(number or 0)
    base = pull.base_ref if isinstance(pull, PullRequest) else repo.default_branch
    return any(
        node.status.context == context
        for rules in applying(repo, f"refs/heads/{base}")
        for context, _ in rules.statuses
    )


def _associated(asker: Asker, node: GitNode, arguments: Arguments) -> Connection:
    repo, sha = node.repository, node.oid
    demand(asker.token, repo, "pull_requests=read")
    near = [
        pull for pull in repo.pulls if pull.merge_sha == sha or repo.store.is_ancestor(sha, pull.head_sha)
    ]
    pulls = [pull for pull in near if pull.merge_sha == sha or not repo.store.is_ancestor(sha, pull.base_sha)]
    return connection(list(pulls), "associatedPullRequests", arguments)


def _file(_asker: Asker, node: GitNode, arguments: Arguments) -> Mapping[str, object] | None:
    path = arguments.text("path")
    folder, _, name = path.rpartition("/")
    tree = node.repository.store.at(node.oid, folder)
    lines = node.repository.store.entries(tree) if tree else []
    return next((_entry(node.repository, entry, folder) for entry in lines if entry.path == name), None)


def _entries(_asker: Asker, node: GitNode, _given: Arguments) -> list[Mapping[str, object]]:
    return [_entry(node.repository, entry, "") for entry in node.repository.store.entries(node.oid)]


def _entry(repo: Repository, entry: Entry, folder: str) -> Mapping[str, object]:
    path = f"{folder}/{entry.path}" if folder else entry.path
    return {
        "mode": int(entry.mode, 8), "name": entry.path, "oid": entry.sha, "path": path, "size": entry.size or 0,
        "type": entry.type, "object": git_node(repo, entry.sha),
    }  # fmt: skip


def _bytes(node: GitNode) -> bytes:
    return node.repository.store.object(node.oid)


def _text(_asker: Asker, node: GitNode, _given: Arguments) -> str | None:
    content = _bytes(node)
    return None if b"\0" in content else content.decode(errors="replace")


def _peeled(_asker: Asker, node: GitNode, _given: Arguments) -> GitNode | None:
    return git_node(node.repository, node.repository.store.tag(node.oid).target)


def _page(asker: Asker, node: GitNode, _given: Arguments) -> str:
    return f"{asker.world.url}/{node.repository.full_name}/commit/{node.oid}"


OBJECT: dict[str, Field] = {"abbreviatedOid": lambda _asker, node, _given: node.oid[:7], "commitUrl": _page}
FIELDS: Table = {
    "Ref": {
        "name": lambda _asker, ref, _given: ref.name.split("/", 2)[2],
        "prefix": lambda _asker, ref, _given: "/".join(ref.name.split("/")[:2]) + "/",
        "target": _target,
    },
    "Commit": {**OBJECT,
        "url": _page, "message": lambda _asker, node, _given: parsed(node).message,
        "messageHeadline": lambda _asker, node, _given: parsed(node).headline,
        "messageBody": lambda _asker, node, _given: parsed(node).body,
        "authoredDate": lambda _asker, node, _given: parsed(node).author.date,
        "committedDate": lambda _asker, node, _given: parsed(node).committer.date,
        "author": lambda _asker, node, _given: _actor(node.repository, parsed(node).author),
        "committer": lambda _asker, node, _given: _actor(node.repository, parsed(node).committer),
        "tree": lambda _asker, node, _given: git_node(node.repository, parsed(node).tree),
        "changedFilesIfAvailable": lambda *_: None, "file": _file, "history": _history, "parents": _parents,
        "signature": _signature, "status": _status, "associatedPullRequests": _associated,
    },
    "Tag": {**OBJECT,
        "name": lambda _asker, node, _given: node.repository.store.tag(node.oid).name,
        "message": lambda _asker, node, _given: node.repository.store.tag(node.oid).message,
        "tagger": lambda _asker, node, _given: _actor(node.repository, node.repository.store.tag(node.oid).tagger),
        "target": _peeled,
    },
    "Tree": {**OBJECT,"entries": _entries},
    "Blob": {**OBJECT,
        "text": _text, "byteSize": lambda _asker, node, _given: len(_bytes(node)),
        "isBinary": lambda _asker, node, _given: b"\0" in _bytes(node), "isTruncated": lambda *_: False,
    },
    "Status": {"state": _state, "contexts": _contexts, "context": _context},
    "StatusContext": {
        "avatarUrl": lambda *_: None, "isRequired": _required,
        "context": lambda _asker, node, _given: node.status.context,
        "state": lambda _asker, node, _given: node.status.state.upper(),
        "description": lambda _asker, node, _given: node.status.description,
        "targetUrl": lambda _asker, node, _given: node.status.target_url,
        "createdAt": lambda _asker, node, _given: node.status.created_at,
        "creator": lambda _asker, node, _given: node.status.creator,
    },
}  # fmt: skip
