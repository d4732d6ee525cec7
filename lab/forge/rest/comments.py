"""Comments on issues and pull requests, and reactions."""

from __future__ import annotations

from lab.forge import events, thread_shapes
from lab.forge.exchange import Answer, Ask, made, nothing
from lab.forge.permissions import at_least, role_of
from lab.forge.records import Comment, Thread
from lab.forge.refusal import Refusal, invalid, not_found
from lab.forge.rest.issues import READ, WRITE, find_thread
from lab.forge.routing import Route
from lab.forge.values import Body, User

REACT = "issues=write"  # also under a pull request: GitHub lists no other permission for it
REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def list_comments(ask: Ask) -> Answer:
    """GET issues/{number}/comments, oldest first."""
    return ask.page([thread_shapes.comment(ask.links, comment) for comment in find_thread(ask).comments])


def create_comment(ask: Ask) -> Answer:
    """POST issues/{number}/comments."""
    thread, body = find_thread(ask), ask.fields.text("body")
    if not body.strip():
        raise invalid("IssueComment", "body", "missing_field")
    comment = add_comment(ask.token.user, thread, body)
    _commented(ask, comment, "created")
    return made(thread_shapes.comment(ask.links, comment))


def add_comment(user: User, thread: Thread, body: str) -> Comment:
    """Put a comment under a thread."""
    world = thread.repository.world
    now = world.now()
    comment = Comment(world.next_id(), thread, body, user, now, now)
    thread.comments.append(comment)
    return comment


def _commented(ask: Ask, comment: Comment, action: str, **more: object) -> None:
    links = events.links(ask.world)
    body: Body = {
        "issue": thread_shapes.issue(links, comment.thread), "comment": thread_shapes.comment(links, comment),
    }  # fmt: skip
    events.emit(ask.repository, "issue_comment", ask.token, body | more, action=action)


def get_comment(ask: Ask) -> Answer:
    """GET issues/comments/{id}."""
    return Answer(200, thread_shapes.comment(ask.links, _comment(ask)))


def edit_comment(ask: Ask) -> Answer:
    """PATCH issues/comments/{id}."""
    comment = _own(ask)
    before, comment.body = comment.body, ask.fields.text("body")
    comment.updated_at = ask.world.now()
    _commented(ask, comment, "edited", changes={"body": {"from": before}})
    return Answer(200, thread_shapes.comment(ask.links, comment))


def delete_comment(ask: Ask) -> Answer:
    """DELETE issues/comments/{id}."""
    comment = _own(ask)
    comment.thread.comments.remove(comment)
    _commented(ask, comment, "deleted")
    return nothing()


def _own(ask: Ask) -> Comment:
    """The comment, when it is one's own or one may write here."""
    comment = _comment(ask)
    if comment.user != ask.token.user and not at_least(role_of(ask.repository, ask.token.user), "write"):
        raise Refusal(403, "Must have admin rights to Repository.")
    return comment


def _comment(ask: Ask) -> Comment:
    number = ask.number("id")
    for thread in ask.repository.threads.values():
        for comment in thread.comments:
            if comment.id == number:
                return comment
    raise not_found()


def react_to_comment(ask: Ask) -> Answer:
    """POST issues/comments/{id}/reactions: 201, or 200 when it was there already."""
    return _react(ask, _comment(ask).reactions)


def react_to_issue(ask: Ask) -> Answer:
    """POST issues/{number}/reactions."""
    return _react(ask, find_thread(ask).reactions)


def _react(ask: Ask, reactions: list[tuple[int, User, str]]) -> Answer:
    content, user = ask.fields.text("content"), ask.token.user
    if content not in REACTIONS:
        raise invalid("Reaction", "content", "invalid")
    for reaction in reactions:
        if reaction[1:] == (user, content):
            return Answer(200, thread_shapes.reaction(ask.links, reaction, ask.world.now()))
    reactions.append((ask.world.next_id(), user, content))
    return made(thread_shapes.reaction(ask.links, reactions[-1], ask.world.now()))


def list_reactions(ask: Ask) -> Answer:
    """GET issues/comments/{id}/reactions."""
    now = ask.world.now()
    return ask.page(
        [thread_shapes.reaction(ask.links, reaction, now) for reaction in _comment(ask).reactions]
    )


AT = "/repos/{owner}/{repo}/issues"
ROUTES = (
    Route("GET", AT + "/comments/{id}", get_comment, READ),
    Route("PATCH", AT + "/comments/{id}", edit_comment, WRITE, "read"),
    Route("DELETE", AT + "/comments/{id}", delete_comment, WRITE, "read"),
    Route("POST", AT + "/comments/{id}/reactions", react_to_comment, REACT, "read"),
    Route("GET", AT + "/comments/{id}/reactions", list_reactions, "issues=read"),
    Route("GET", AT + "/{number}/comments", list_comments, READ),
    Route("POST", AT + "/{number}/comments", create_comment, WRITE, "read"),
    Route("POST", AT + "/{number}/reactions", react_to_issue, REACT, "read"),
)
