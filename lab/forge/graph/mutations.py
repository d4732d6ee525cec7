"""Mutations: commits, refs, merging, reviews."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from lab.forge import branches, git_write, merging, pulls, queue
from lab.forge.git_store import GitError, Move
from lab.forge.graph.arguments import Arguments, Table
from lab.forge.graph.git_fields import commit_node
from lab.forge.graph.nodes import Asker, Edge, RefNode, find_node
from lab.forge.permissions import at_least, demand, may_change_workflows, missing, role_of, visible
from lab.forge.refusal import Refusal, not_found, unprocessable
from lab.forge.rest.git_database import decoded
from lab.forge.rest.issues import add_comment
from lab.forge.rules import WORKFLOWS
from lab.forge.state import AutoMerge, PullRequest, Repository, Review, Thread
from lab.forge.values import ZERO

Payload = dict[str, object]
Found = TypeVar("Found")


def _commit(asker: Asker, given: Arguments) -> Payload:
    """createCommitOnBranch: the branch must exist and be at expectedHeadOid; signed by GitHub."""
    repo, name = _branch(asker, given.inner("branch"))
    demand(asker.token, repo, "contents=write")
    head = repo.store.ref(name)
    if head is None:
        short = name.removeprefix("refs/heads/")
        raise not_found(f"Could not resolve to a branch with the name {short!r}: the branch must exist.")
    expected = given.text("expectedHeadOid")
    if head != expected:
        raise unprocessable(
            f'Expected branch to point to "{expected}" but it did not.  Pull and try again.',
            kind="STALE_DATA",
        )
    changes = _changes(asker, repo, head, given.inner("fileChanges"))
    message = given.inner("message")
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


def _branch(asker: Asker, given: Arguments) -> tuple[Repository, str]:
    if given.text("id"):
        found = _node(asker, given.text("id"), RefNode)
        return found.repository, found.name
    full_name = given.text("repositoryNameWithOwner")
    repo = asker.world.find(full_name)
    if repo is None or not visible(asker.token, repo):
        raise not_found(f"Could not resolve to a Repository with the name '{full_name}'.")
    return repo, f"refs/heads/{given.text('branchName').removeprefix('refs/heads/')}"


def _changes(asker: Asker, repo: Repository, head: str, given: Arguments) -> dict[str, bytes | None]:
    changes: dict[str, bytes | None] = {}
    for one in given.inners("deletions"):
        path = one.text("path")
        if repo.store.at(head, path) is None:
            raise unprocessable(
                f"A path was requested for deletion which does not exist as of commit oid `{head}`"
            )
        changes[path] = None
    for one in given.inners("additions"):
        path = one.text("path")
        if not path or path.startswith("/") or ".." in path.split("/") or ".git" in path.split("/"):
            raise unprocessable(f"A path was requested for addition which is not valid: {path!r}")
        changes[path] = decoded(one.text("contents"))
    touches = any(path.startswith(f"{WORKFLOWS}/") for path in changes)
    if touches and not may_change_workflows(asker.token, repo):
        raise missing(asker.token, "contents=write,workflows=write")
    return changes


def _create_ref(asker: Asker, given: Arguments) -> Payload:
    repo, name = _repository(asker, given, "contents=write"), given.text("name")
    if repo.store.ref(name):
        raise unprocessable(f'A ref named "{name}" already exists in the repository.')
    branches.move_refs(repo, asker.token, [Move(name, given.text("oid"), ZERO)])
    return {"ref": RefNode(repo, name)}


def _update_ref(asker: Asker, given: Arguments) -> Payload:
    ref = _node(asker, given.text("refId"), RefNode)
    demand(asker.token, ref.repository, "contents=write")
    branches.move_refs(
        ref.repository, asker.token, [Move(ref.name, given.text("oid"), None, given.flag("force"))]
    )
    return {"ref": ref}


def _delete_ref(asker: Asker, given: Arguments) -> Payload:
    ref = _node(asker, given.text("refId"), RefNode)
    demand(asker.token, ref.repository, "contents=write")
    branches.move_refs(ref.repository, asker.token, [Move(ref.name, ZERO)])
    return {}


def _update_refs(asker: Asker, given: Arguments) -> Payload:
    """updateRefs: all or none; zero `beforeOid` must not exist, zero `afterOid` deletes."""
    repo = _repository(asker, given, "contents=write")
    moves = [
        Move(one.text("name"), one.text("afterOid"), one.text("beforeOid") or None, one.flag("force"))
        for one in given.inners("refUpdates")
    ]
    if len({move.name for move in moves}) < len(moves):
        raise unprocessable("refUpdates names a ref twice")
    branches.move_refs(repo, asker.token, moves)
    return {}


def _enable_auto_merge(asker: Asker, given: Arguments) -> Payload:
    pull = _pull(asker, given)
    if not pull.repository.settings.allow_auto_merge:
        raise unprocessable("Pull request Auto merge is not allowed for this repository")
    _demand_head(pull, given)
    state = merging.state(pull, merging.test_merge(pull) is not None)
    if not pull.open or state in ("clean", "unstable", "dirty", "draft"):
        raise unprocessable(f"Pull request Pull request is in {state} status")
    pull.auto_merge = AutoMerge(
        asker.token, given.text("mergeMethod") or "MERGE", given.text("commitHeadline") or None,
        given.text("commitBody") or None, asker.world.now(),
    )  # fmt: skip
    pulls.announce(pull, asker.token, "auto_merge_enabled")
    merging.wake(pull.repository)
    return {"pullRequest": pull, "actor": asker.token.user}


def _disable_auto_merge(asker: Asker, given: Arguments) -> Payload:
    pull = _pull(asker, given)
    if pull.auto_merge is None:
        raise unprocessable("Can't disable auto-merge for this pull request.")
    pull.auto_merge = None
    pulls.announce(pull, asker.token, "auto_merge_disabled")
    return {"pullRequest": pull, "actor": asker.token.user}


def _merge(asker: Asker, given: Arguments) -> Payload:
    pull = _pull(asker, given)
    demand(asker.token, pull.repository, "contents=write")
    try:
        merging.merge(
            pull, asker.token, (given.text("mergeMethod") or "MERGE").lower(), sha=given.text("expectedHeadOid"),
            title=given.text("commitHeadline") or None, message=given.text("commitBody") or None,
        )  # fmt: skip
    except Refusal as refusal:
        raise Refusal(refusal.status, refusal.message, kind="UNPROCESSABLE") from None
    return {"pullRequest": pull, "actor": asker.token.user}


def _demand_head(pull: PullRequest, given: Arguments) -> None:
    if given.text("expectedHeadOid") not in ("", pull.head_sha):
        raise unprocessable("Head branch was modified. Review and try the merge again.")


def _enqueue(asker: Asker, given: Arguments) -> Payload:
    pull = _pull(asker, given)
    _demand_head(pull, given)
    queue.enqueue(pull, asker.token)
    return {}


def _dismiss(asker: Asker, given: Arguments) -> Payload:
    review = _node(asker, given.text("pullRequestReviewId"), Review)
    demand(asker.token, review.pull.repository, "pull_requests=write")
    try:
        pulls.dismiss(review, asker.token)
    except Refusal as refusal:
        raise unprocessable(str(refusal.errors[0])) from None
    return {"pullRequestReview": review}


def _ready(asker: Asker, given: Arguments) -> Payload:
    pull = _pull(asker, given)
    pulls.set_draft(pull, asker.token, False)
    return {"pullRequest": pull}


def _to_draft(asker: Asker, given: Arguments) -> Payload:
    pull = _pull(asker, given)
    pulls.set_draft(pull, asker.token, True)
    return {"pullRequest": pull}


def _add_comment(asker: Asker, given: Arguments) -> Payload:
    thread = find_node(asker.world, given.text("subjectId"))
    if not isinstance(thread, Thread):
        raise not_found(f"Could not resolve to a node with the global id of '{given.text('subjectId')}'")
    demand(asker.token, thread.repository, "issues=write; pull_requests=write", "read")
    comment = add_comment(asker.token.user, thread, given.text("body"))
    return {"commentEdge": Edge(comment, "cursor:1"), "subject": thread}


def _repository(asker: Asker, given: Arguments, needs: str) -> Repository:
    repo = _node(asker, given.text("repositoryId"), Repository)
    demand(asker.token, repo, needs)
    return repo


def _pull(asker: Asker, given: Arguments) -> PullRequest:
    """The pull request, for those who may change it: rights for tokens, authorship or write for people."""
    pull = _node(asker, given.text("pullRequestId"), PullRequest)
    if pull.author != asker.token.user or at_least(role_of(pull.repository, asker.token.user), "write"):
        demand(asker.token, pull.repository, "pull_requests=write")
    return pull


def _node(asker: Asker, wanted: str, kind: type[Found]) -> Found:
    found = find_node(asker.world, wanted)
    if not isinstance(found, kind):
        raise not_found(f"Could not resolve to a node with the global id of '{wanted}'")
    return found


def _mutation(function: Callable[[Asker, Arguments], Payload]) -> Callable[..., Mapping[str, object]]:
    """A field of the Mutation type: unpack `input`, give back clientMutationId."""

    def field(asker: Asker, _source: object, given: Arguments) -> Mapping[str, object]:
        sent = given.inner("input")
        return function(asker, sent) | {"clientMutationId": sent.text("clientMutationId") or None}

    return field


FIELDS: Table = {
    "Mutation": {
        "addComment": _mutation(_add_comment),
        "convertPullRequestToDraft": _mutation(_to_draft),
        "createCommitOnBranch": _mutation(_commit),
        "createRef": _mutation(_create_ref),
        "deleteRef": _mutation(_delete_ref),
        "disablePullRequestAutoMerge": _mutation(_disable_auto_merge),
        "dismissPullRequestReview": _mutation(_dismiss),
        "enablePullRequestAutoMerge": _mutation(_enable_auto_merge),
        "enqueuePullRequest": _mutation(_enqueue),
        "markPullRequestReadyForReview": _mutation(_ready),
        "mergePullRequest": _mutation(_merge),
        "updateRef": _mutation(_update_ref),
        "updateRefs": _mutation(_update_refs),
    }
}
