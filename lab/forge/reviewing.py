"""Reviews of a pull request: given on a head, dismissed, and who may not give one."""

from __future__ import annotations

from lab.forge import events, mergeable, merging, thread_shapes
from lab.forge.pulls import NO_PULL_REQUESTS
from lab.forge.records import PullRequest, Review
from lab.forge.refusal import Refusal, unprocessable
from lab.forge.values import Body, Token

STATES = {
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
    "": "PENDING",
}


def review(pull: PullRequest, token: Token, event: str, body: str, sha: str) -> Review:
    """Review the head (or an older commit of it); nobody approves their own pull request."""
    if event not in STATES:
        raise unprocessable(
            f"Variable $event of type PullRequestReviewEvent was provided invalid value {event}"
        )
    verb = {"APPROVE": "approve", "REQUEST_CHANGES": "request changes on"}.get(event)
    if verb and token.user == pull.author:
        raise Refusal(422, "Unprocessable Entity", errors=[f"Can not {verb} your own pull request"])
    allowed = token.kind != "actions" or pull.repository.settings.actions_may_write_pull_requests
    if event == "APPROVE" and not allowed:
        raise Refusal(422, "Unprocessable Entity", errors=[NO_PULL_REQUESTS])
    if event in ("REQUEST_CHANGES", "COMMENT") and not body:
        raise Refusal(422, "Unprocessable Entity", errors=["Body is required"])
    world = pull.repository.world
    if sha and sha not in {commit.sha for commit in mergeable.commits(pull)}:
        raise Refusal(422, "Unprocessable Entity", errors=["The commit is not part of the pull request"])
    review = Review(
        world.next_id(),
        pull,
        token.user,
        STATES[event],
        body,
        sha or pull.head_sha,
        world.now() if event else None,
    )
    pull.reviews.append(review)
    if event:
        _reviewed(review, token, "submitted")
    return review


def dismiss(review: Review, token: Token) -> None:
    """Dismiss an approval or a request for changes."""
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        word = review.state.lower()
        raise Refusal(422, "Unprocessable Entity", errors=[f"Can not dismiss a {word} pull request review"])
    review.state = "DISMISSED"
    _reviewed(review, token, "dismissed")


def _reviewed(changed: Review, token: Token, action: str) -> None:
    repo, pull = changed.pull.repository, changed.pull
    links = events.links(repo.world)
    body: Body = {
        "review": thread_shapes.review(links, changed) | {"state": changed.state.lower()},
        "pull_request": thread_shapes.pull(links, pull),
    }
    events.emit(
        repo, "pull_request_review", token, body, action=action, ref=f"refs/pull/{pull.number}/merge",
        sha=pull.head_sha,
    )  # fmt: skip
    merging.wake(repo)
