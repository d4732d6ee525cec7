"""Reviews of pull requests."""

from __future__ import annotations

from lab.forge import reviewing, thread_shapes
from lab.forge.exchange import Answer, Ask
from lab.forge.records import Review
from lab.forge.refusal import Refusal, not_found
from lab.forge.rest.pull_requests import find_pull
from lab.forge.routing import Route


def list_reviews(ask: Ask) -> Answer:
    """GET reviews, oldest first."""
    return ask.page([thread_shapes.review(ask.links, review) for review in find_pull(ask).reviews])


def create_review(ask: Ask) -> Answer:
    """POST reviews; 422 for one's own approval."""
    fields = ask.fields
    review = reviewing.review(
        find_pull(ask), ask.token, fields.text_or("event", ""), fields.text_or("body", ""),
        fields.text_or("commit_id", ""),
    )  # fmt: skip
    return Answer(200, thread_shapes.review(ask.links, review))


def get_review(ask: Ask) -> Answer:
    """GET reviews/{review}."""
    return Answer(200, thread_shapes.review(ask.links, _find(ask)))


def dismiss_review(ask: Ask) -> Answer:
    """PUT reviews/{review}/dismissals, with a message."""
    ask.fields.text("message")
    review = _find(ask)
    reviewing.dismiss(review, ask.token)
    return Answer(200, thread_shapes.review(ask.links, review))


def submit_review(ask: Ask) -> Answer:
    """POST reviews/{review}/events: submit a pending review."""
    review = _find(ask)
    if review.state != "PENDING":
        raise Refusal(422, "Unprocessable Entity", errors=["Review is not pending"])
    event = ask.fields.text("event")
    submitted = reviewing.review(
        review.pull, ask.token, event, ask.fields.text_or("body", review.body), review.sha
    )
    review.pull.reviews.remove(review)
    submitted.id = review.id
    return Answer(200, thread_shapes.review(ask.links, submitted))


def _find(ask: Ask) -> Review:
    number = ask.number("review")
    for review in find_pull(ask).reviews:
        if review.id == number:
            return review
    raise not_found()


AT = "/repos/{owner}/{repo}/pulls/{number}/reviews"
WRITE = "pull_requests=write"
ROUTES = (
    Route("GET", AT, list_reviews, "pull_requests=read"),
    Route("POST", AT, create_review, WRITE, "read"),
    Route("GET", AT + "/{review}", get_review, "pull_requests=read"),
    Route("PUT", AT + "/{review}/dismissals", dismiss_review, WRITE),
    Route("POST", AT + "/{review}/events", submit_review, WRITE, "read"),
)
