"""Mutations of pull requests: auto-merge, merging, the queue, reviews, drafts, comments."""

from __future__ import annotations

from lab.forge import merge_queue, mergeable, merging, pulls, reviewing
from lab.forge.graph.arguments import Arguments, Table
from lab.forge.graph.mutation import Payload, mutation, named
from lab.forge.graph.nodes import Asker, Edge, find_node
from lab.forge.permissions import at_least, demand, role_of
from lab.forge.records import AutoMerge, PullRequest, Review, Thread
from lab.forge.refusal import Refusal, not_found, unprocessable
from lab.forge.rest.comments import add_comment


def _enable_auto_merge(asker: Asker, arguments: Arguments) -> Payload:
    pull = _pull(asker, arguments)
    if not pull.repository.settings.allow_auto_merge:
        raise unprocessable("Pull request Auto merge is not allowed for this repository")
    _demand_head(pull, arguments)
    state = mergeable.state(pull, mergeable.test_merge(pull) is not None)
    if not pull.open or state in ("clean", "unstable", "dirty", "draft"):
        raise unprocessable(f"Pull request Pull request is in {state} status")
    pull.auto_merge = AutoMerge(
        asker.token, arguments.text("mergeMethod") or "MERGE", arguments.text("commitHeadline") or None,
        arguments.text("commitBody") or None, asker.world.now(),
    )  # fmt: skip
    pulls.announce(pull, asker.token, "auto_merge_enabled")
    merging.wake(pull.repository)
    return {"pullRequest": pull, "actor": asker.token.user}


def _disable_auto_merge(asker: Asker, arguments: Arguments) -> Payload:
    pull = _pull(asker, arguments)
    if pull.auto_merge is None:
        raise unprocessable("Can't disable auto-merge for this pull request.")
    pull.auto_merge = None
    pulls.announce(pull, asker.token, "auto_merge_disabled")
    return {"pullRequest": pull, "actor": asker.token.user}


def _merge(asker: Asker, arguments: Arguments) -> Payload:
    pull = _pull(asker, arguments)
    demand(asker.token, pull.repository, "contents=write")
    try:
        merging.merge(
            pull, asker.token, (arguments.text("mergeMethod") or "MERGE").lower(),
            sha=arguments.text("expectedHeadOid"),
            title=arguments.text("commitHeadline") or None, message=arguments.text("commitBody") or None,
        )  # fmt: skip
    except Refusal as refusal:
        raise Refusal(refusal.status, refusal.message, kind="UNPROCESSABLE") from None
    return {"pullRequest": pull, "actor": asker.token.user}


def _demand_head(pull: PullRequest, arguments: Arguments) -> None:
    if arguments.text("expectedHeadOid") not in ("", pull.head_sha):
        raise unprocessable("Head branch was modified. Review and try the merge again.")


def _enqueue(asker: Asker, arguments: Arguments) -> Payload:
    pull = _pull(asker, arguments)
    _demand_head(pull, arguments)
    merge_queue.enqueue(pull, asker.token)
    return {}


def _dismiss(asker: Asker, arguments: Arguments) -> Payload:
    review = named(asker, arguments.text("pullRequestReviewId"), Review)
    demand(asker.token, review.pull.repository, "pull_requests=write")
    try:
        reviewing.dismiss(review, asker.token)
    except Refusal as refusal:
        raise unprocessable(str(refusal.errors[0])) from None
    return {"pullRequestReview": review}


def _ready(asker: Asker, arguments: Arguments) -> Payload:
    pull = _pull(asker, arguments)
    pulls.set_draft(pull, asker.token, False)
    merging.wake(pull.repository)
    return {"pullRequest": pull}


def _to_draft(asker: Asker, arguments: Arguments) -> Payload:
    pull = _pull(asker, arguments)
    pulls.set_draft(pull, asker.token, True)
    return {"pullRequest": pull}


def _add_comment(asker: Asker, arguments: Arguments) -> Payload:
    thread = find_node(asker.world, arguments.text("subjectId"))
    if not isinstance(thread, Thread):
        raise not_found(f"Could not resolve to a node with the global id of '{arguments.text('subjectId')}'")
    demand(asker.token, thread.repository, "issues=write; pull_requests=write", "read")
    comment = add_comment(asker.token.user, thread, arguments.text("body"))
    return {"commentEdge": Edge(comment, "cursor:1"), "subject": thread}


def _pull(asker: Asker, arguments: Arguments) -> PullRequest:
    """The pull request, if the caller may change it: a token by permission, a person as author or with write."""
    pull = named(asker, arguments.text("pullRequestId"), PullRequest)
    if pull.author != asker.token.user or at_least(role_of(pull.repository, asker.token.user), "write"):
        demand(asker.token, pull.repository, "pull_requests=write")
    return pull


FIELDS: Table = {
    "Mutation": {
        "addComment": mutation(_add_comment),
        "convertPullRequestToDraft": mutation(_to_draft),
        "disablePullRequestAutoMerge": mutation(_disable_auto_merge),
        "dismissPullRequestReview": mutation(_dismiss),
        "enablePullRequestAutoMerge": mutation(_enable_auto_merge),
        "enqueuePullRequest": mutation(_enqueue),
        "markPullRequestReadyForReview": mutation(_ready),
        "mergePullRequest": mutation(_merge),
    }
}
