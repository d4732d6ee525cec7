"""Issues (and the issue side of pull requests): fields, labels, comments, reactions."""

from __future__ import annotations

from lab.forge import events, pulls, thread_shapes
from lab.forge.exchange import Answer, Ask, made, nothing
from lab.forge.permissions import at_least, role_of
from lab.forge.refusal import Refusal, invalid, malformed, not_found
from lab.forge.rest.pull_requests import change_state
from lab.forge.routing import Route
from lab.forge.state import Comment, Label, PullRequest, Thread, add_label, next_number
from lab.forge.values import Body, User

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def find_thread(ask: Ask) -> Thread:
    """The issue or pull request of the path, or 404."""
    found = ask.repository.threads.get(ask.number("number"))
    if found is None:
        raise not_found()
    return found


def list_issues(ask: Ask) -> Answer:
    """GET issues: pull requests too, newest first; filters state, labels, creator."""
    query = ask.query
    wanted = {name.lower() for name in query.get("labels", "").split(",") if name}
    found = [
        one
        for one in reversed(ask.repository.threads.values())
        if query.get("state", "open") in ("all", "open" if one.open else "closed")
        and wanted <= {label.name.lower() for label in one.labels}
        and query.get("creator", one.author.login) == one.author.login
    ]
    return ask.page([thread_shapes.issue(ask.links, one) for one in found])


def get_issue(ask: Ask) -> Answer:
    """GET issues/{number}."""
    return Answer(200, thread_shapes.issue(ask.links, find_thread(ask)))


def create_issue(ask: Ask) -> Answer:
    """POST issues."""
    repo, now = ask.repository, ask.world.now()
    title, body = ask.fields.text("title"), ask.fields.text_or("body", None)
    found = Thread(
        id=ask.world.next_id(), number=next_number(repo), repository=repo, title=title, body=body,
        author=ask.token.user, created_at=now, updated_at=now,
    )  # fmt: skip
    found.labels = [add_label(repo, name) for name in ask.fields.texts("labels") or []]
    repo.threads[found.number] = found
    _announce(ask, found, "opened")
    return made(thread_shapes.issue(ask.links, found))


def update_issue(ask: Ask) -> Answer:
    """PATCH issues/{number}: title, body, state, labels, assignees."""
    found, fields = find_thread(ask), ask.fields
    title, body, state = (
        fields.text_or("title", None),
        fields.text_or("body", None),
        fields.text_or("state", None),
    )
    if isinstance(found, PullRequest):
        pulls.edit(found, ask.token, title=title, body=body, base=None)
        change_state(ask, found)
    else:
        found.title, found.body = title or found.title, found.body if body is None else body
        if state in ("open", "closed") and (state == "open") != found.open:
            found.open = state == "open"
            found.closed_at = None if found.open else ask.world.now()
            _announce(ask, found, "reopened" if found.open else "closed")
    labels, people = fields.texts("labels"), fields.texts("assignees")
    if labels is not None:
        _set_labels(ask, found, labels)
    if people is not None:
        found.assignees = [who for who in map(ask.world.user, people) if who]
    found.updated_at = ask.world.now()
    return Answer(200, thread_shapes.issue(ask.links, found))


def _announce(ask: Ask, found: Thread, action: str, **more: object) -> None:
    if isinstance(found, PullRequest):
        pulls.announce(found, ask.token, action, **more)
        return
    body: Body = {"issue": thread_shapes.issue(events.links(ask.world), found)}
    events.emit(ask.repository, "issues", ask.token, body | more, action=action)


def _set_labels(ask: Ask, found: Thread, names: list[str]) -> None:
    wanted = [add_label(ask.repository, name) for name in names]
    before, found.labels = found.labels, list(dict.fromkeys(wanted))
    links = events.links(ask.world)
    for action, changed in (
        ("unlabeled", [one for one in before if one not in found.labels]),
        ("labeled", [one for one in found.labels if one not in before]),
    ):
        for label in changed:
            _announce(ask, found, action, label=thread_shapes.label(links, ask.repository, label))


def list_labels(ask: Ask) -> Answer:
    """GET issues/{number}/labels."""
    return _labels(ask, find_thread(ask).labels)


def add_labels(ask: Ask) -> Answer:
    """POST issues/{number}/labels: missing ones are made."""
    found = find_thread(ask)
    names = ask.fields.texts("labels")
    if not names:
        raise malformed('"labels" wasn\'t supplied.')
    _set_labels(ask, found, [label.name for label in found.labels] + names)
    return _labels(ask, found.labels)


def set_labels(ask: Ask) -> Answer:
    """PUT issues/{number}/labels."""
    found = find_thread(ask)
    _set_labels(ask, found, ask.fields.texts("labels") or [])
    return _labels(ask, found.labels)


def remove_label(ask: Ask) -> Answer:
    """DELETE issues/{number}/labels/{name}; 404 when it is not there."""
    found, name = find_thread(ask), ask.param("name").lower()
    rest = [label.name for label in found.labels if label.name.lower() != name]
    if len(rest) == len(found.labels):
        raise not_found("Label does not exist")
    _set_labels(ask, found, rest)
    return _labels(ask, found.labels)


def _labels(ask: Ask, labels: list[Label]) -> Answer:
    return Answer(200, [thread_shapes.label(ask.links, ask.repository, one) for one in labels])


def repository_labels(ask: Ask) -> Answer:
    """GET labels."""
    found = ask.repository.labels.values()
    return ask.page([thread_shapes.label(ask.links, ask.repository, one) for one in found])


def get_label(ask: Ask) -> Answer:
    """GET labels/{name}."""
    found = ask.repository.labels.get(ask.param("name").lower())
    if found is None:
        raise not_found()
    return Answer(200, thread_shapes.label(ask.links, ask.repository, found))


def create_label(ask: Ask) -> Answer:
    """POST labels; 422 when it exists."""
    name = ask.fields.text("name")
    if name.lower() in ask.repository.labels:
        raise invalid("Label", "name", "already_exists")
    color = ask.fields.text_or("color", "ededed")
    found = add_label(ask.repository, name, color, ask.fields.text_or("description", None))
    return made(thread_shapes.label(ask.links, ask.repository, found))


def list_comments(ask: Ask) -> Answer:
    """GET issues/{number}/comments, oldest first."""
    return ask.page([thread_shapes.comment(ask.links, one) for one in find_thread(ask).comments])


def create_comment(ask: Ask) -> Answer:
    """POST issues/{number}/comments."""
    found, body = find_thread(ask), ask.fields.text("body")
    if not body.strip():
        raise invalid("IssueComment", "body", "missing_field")
    comment = add_comment(ask.token.user, found, body)
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
    content, who = ask.fields.text("content"), ask.token.user
    if content not in REACTIONS:
        raise invalid("Reaction", "content", "invalid")
    for one in reactions:
        if one[1:] == (who, content):
            return Answer(200, thread_shapes.reaction(ask.links, one, ask.world.now()))
    reactions.append((ask.world.next_id(), who, content))
    return made(thread_shapes.reaction(ask.links, reactions[-1], ask.world.now()))


def list_reactions(ask: Ask) -> Answer:
    """GET issues/comments/{id}/reactions."""
    now = ask.world.now()
    return ask.page([thread_shapes.reaction(ask.links, one, now) for one in _comment(ask).reactions])


AT = "/repos/{owner}/{repo}/issues"
LABELS = "/repos/{owner}/{repo}/labels"
READ, WRITE = "issues=read; pull_requests=read", "issues=write; pull_requests=write"
ROUTES = (
    Route("GET", AT, list_issues, READ),
    Route("POST", AT, create_issue, "issues=write", "read"),
    Route("GET", AT + "/comments/{id}", get_comment, READ),
    Route("PATCH", AT + "/comments/{id}", edit_comment, WRITE, "read"),
    Route("DELETE", AT + "/comments/{id}", delete_comment, WRITE, "read"),
    Route("POST", AT + "/comments/{id}/reactions", react_to_comment, WRITE, "read"),
    Route("GET", AT + "/comments/{id}/reactions", list_reactions, READ),
    Route("GET", AT + "/{number}", get_issue, READ),
    Route("PATCH", AT + "/{number}", update_issue, WRITE),
    Route("GET", AT + "/{number}/labels", list_labels, READ),
    Route("POST", AT + "/{number}/labels", add_labels, WRITE),
    Route("PUT", AT + "/{number}/labels", set_labels, WRITE),
    Route("DELETE", AT + "/{number}/labels/{name*}", remove_label, WRITE),
    Route("GET", AT + "/{number}/comments", list_comments, READ),
    Route("POST", AT + "/{number}/comments", create_comment, WRITE, "read"),
    Route("POST", AT + "/{number}/reactions", react_to_issue, WRITE, "read"),
    Route("GET", LABELS, repository_labels, READ),
    Route("POST", LABELS, create_label, WRITE),
    Route("GET", LABELS + "/{name*}", get_label, READ),
)
