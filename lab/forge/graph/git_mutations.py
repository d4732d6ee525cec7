"""Mutations of refs: commits, and moving branches by compare-and-swap."""

from __future__ import annotations

from lab.forge import branches, git_write
from lab.forge.git_moves import Move
from lab.forge.git_reader import GitError
from lab.forge.graph.arguments import Arguments, Table
from lab.forge.graph.git_fields import commit_node
from lab.forge.graph.mutation import Payload, mutation, named
from lab.forge.graph.nodes import Asker, RefNode
from lab.forge.permissions import demand, may_change_workflows, missing, visible
from lab.forge.refusal import not_found, unprocessable
from lab.forge.rest.git_database import decoded
from lab.forge.rules import WORKFLOWS
from lab.forge.state import Repository
from lab.forge.values import ZERO


def _commit(asker: Asker, arguments: Arguments) -> Payload:
    """createCommitOnBranch: the branch must exist and be at expectedHeadOid; signed by GitHub."""
    repo, name = _branch(asker, arguments.inner("branch"))
    demand(asker.token, repo, "contents=write")
    head = repo.store.ref(name)
    if head is None:
        short = name.removeprefix("refs/heads/")
        raise not_found(f"Could not resolve to a branch with the name {short!r}: the branch must exist.")
    expected = arguments.text("expectedHeadOid")
    if head != expected:
        raise unprocessable(
            f'Expected branch to point to "{expected}" but it did not.  Pull and try again.',
            kind="STALE_DATA",
        )
    changes = _changes(asker, repo, head, arguments.inner("fileChanges"))
    message = arguments.inner("message")
    text = message.text("headline") + (f"\n\n{message.text('body')}" if message.text("body") else "")
    try:
        tree = git_write.tree_with(repo.store, head, changes)
    except GitError as error:
        raise unprocessable(f"A path was requested that cannot be written: {error}") from None
    author = asker.world.signature(asker.token.user)
    sha = git_write.commit(repo.store, tree, [head], text, author, asker.world.web_flow())
    branches.move_refs(repo, asker.token, [Move(name, sha, head)])
    asker.world.signed.add(sha)
    return {"commit": commit_node(repo, sha), "ref": RefNode(repo, name)}


def _branch(asker: Asker, arguments: Arguments) -> tuple[Repository, str]:
    if arguments.text("id"):
        ref_node = named(asker, arguments.text("id"), RefNode)
        return ref_node.repository, ref_node.name
    full_name = arguments.text("repositoryNameWithOwner")
    repo = asker.world.find(full_name)
    if repo is None or not visible(asker.token, repo):
        raise not_found(f"Could not resolve to a Repository with the name '{full_name}'.")
    return repo, f"refs/heads/{arguments.text('branchName').removeprefix('refs/heads/')}"


def _changes(asker: Asker, repo: Repository, head: str, arguments: Arguments) -> dict[str, bytes | None]:
    changes: dict[str, bytes | None] = {}
    for change in arguments.inners("deletions"):
        path = change.text("path")
        if repo.store.at(head, path) is None:
            message = f"A path was requested for deletion which does not exist as of commit oid `{head}`"
            raise unprocessable(message, kind="NOT_FOUND")
        changes[path] = None
    for change in arguments.inners("additions"):
        path = change.text("path")
        if not path or path.startswith("/") or ".." in path.split("/") or ".git" in path.split("/"):
            raise unprocessable(f"A path was requested for addition which is not valid: {path!r}")
        changes[path] = decoded(change.text("contents"))
    touches = any(path.startswith(f"{WORKFLOWS}/") for path in changes)
    if touches and not may_change_workflows(asker.token, repo):
        raise missing(asker.token, "contents=write,workflows=write")
    return changes


def _create_ref(asker: Asker, arguments: Arguments) -> Payload:
    repo, name = _repository(asker, arguments, "contents=write"), arguments.text("name")
    if repo.store.ref(name):
        raise unprocessable(f'A ref named "{name}" already exists in the repository.')
    branches.move_refs(repo, asker.token, [Move(name, arguments.text("oid"), ZERO)])
    return {"ref": RefNode(repo, name)}


def _update_ref(asker: Asker, arguments: Arguments) -> Payload:
    ref = named(asker, arguments.text("refId"), RefNode)
    demand(asker.token, ref.repository, "contents=write")
    branches.move_refs(
        ref.repository, asker.token, [Move(ref.name, arguments.text("oid"), None, arguments.flag("force"))]
    )
    return {"ref": ref}


def _delete_ref(asker: Asker, arguments: Arguments) -> Payload:
    ref = named(asker, arguments.text("refId"), RefNode)
    demand(asker.token, ref.repository, "contents=write")
    branches.move_refs(ref.repository, asker.token, [Move(ref.name, ZERO)])
    return {}


def _update_refs(asker: Asker, arguments: Arguments) -> Payload:
    """updateRefs: all or none; zero `beforeOid` must not exist, zero `afterOid` deletes."""
    repo = _repository(asker, arguments, "contents=write")
    moves = [
        Move(
            update.text("name"),
            update.text("afterOid"),
            update.text("beforeOid") or None,
            update.flag("force"),
        )
        for update in arguments.inners("refUpdates")
    ]
    if len({move.name for move in moves}) < len(moves):
        raise unprocessable("refUpdates names a ref twice")
    branches.move_refs(repo, asker.token, moves)
    return {}


def _repository(asker: Asker, arguments: Arguments, needs: str) -> Repository:
    repo = named(asker, arguments.text("repositoryId"), Repository)
    demand(asker.token, repo, needs)
    return repo


FIELDS: Table = {
    "Mutation": {
        "createCommitOnBranch": mutation(_commit),
        "createRef": mutation(_create_ref),
        "deleteRef": mutation(_delete_ref),
        "updateRef": mutation(_update_ref),
        "updateRefs": mutation(_update_refs),
    }
}
