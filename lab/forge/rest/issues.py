"""Issues (and the issue side of pull requests): fields, labels, comments, reactions."""

from __future__ import annotations

from lab.forge import events, pulls, thread_shapes
from lab.forge.exchange import Answer, Ask, made
from lab.forge.records import Labeling, PullRequest, Thread
from lab.forge.refusal import not_found
from lab.forge.rest.pull_requests import change_state
from lab.forge.routing import Route
from lab.forge.state import add_label, next_number
from lab.forge.values import Body


def find_thread(ask: Ask) -> Thread:
    """The issue or pull request of the path, or 404."""
    thread = ask.repository.threads.get(ask.number("number"))
    if thread is None or ask.world.replica.misses(thread.id):
        raise not_found()
    return thread


def list_issues(ask: Ask) -> Answer:
    """GET issues: pull requests too, newest first; filters state, labels, creator."""
    query = ask.query
    labels = {name.lower() for name in query.get("labels", "").split(",") if name}
    threads = [
        thread
        for thread in reversed(ask.repository.threads.values())
        if query.get("state", "open") in ("all", "open" if thread.open else "closed")
        and labels <= {label.name.lower() for label in thread.labels}
        and query.get("creator", thread.author.login) == thread.author.login
    ]
    return ask.page([thread_shapes.issue(ask.links, thread) for thread in threads])


def get_issue(ask: Ask) -> Answer:
    """GET issues/{number}."""
    return Answer(200, thread_shapes.issue(ask.links, find_thread(ask)))


def create_issue(ask: Ask) -> Answer:
    """POST issues."""
    repo, now = ask.repository, ask.world.now()
    title, body = ask.fields.text("title"), ask.fields.text_or("body", None)
    thread = Thread(
        id=ask.world.next_id(), number=next_number(repo), repository=repo, title=title, body=body,
        author=ask.token.user, created_at=now, updated_at=now,
    )  # fmt: skip
    thread.labels = [add_label(repo, name) for name in ask.fields.texts("labels") or []]
    repo.threads[thread.number] = thread
    _announce(ask, thread, "opened")
    return made(thread_shapes.issue(ask.links, thread))


def update_issue(ask: Ask) -> Answer:
    """PATCH issues/{number}: title, body, state, labels, assignees."""
    thread, fields = find_thread(ask), ask.fields
    title, body, state = (
        fields.text_or("title", None),
        fields.text_or("body", None),
        fields.text_or("state", None),
    )
    if isinstance(thread, PullRequest):
        pulls.edit(thread, ask.token, title=title, body=body, base=None)
        change_state(ask, thread)
    else:
        thread.title, thread.body = title or thread.title, thread.body if body is None else body
        if state in ("open", "closed") and (state == "open") != thread.open:
            thread.open = state == "open"
            thread.closed_at = None if thread.open else ask.world.now()
            _announce(ask, thread, "reopened" if thread.open else "closed")
    labels, people = fields.texts("labels"), fields.texts("assignees")
    if labels is not None:
        set_thread_labels(ask, thread, labels)
    if people is not None:
        thread.assignees = [user for user in map(ask.world.user, people) if user]
    thread.updated_at = ask.world.now()
    return Answer(200, thread_shapes.issue(ask.links, thread))


def _announce(ask: Ask, thread: Thread, action: str, **more: object) -> None:
    if isinstance(thread, PullRequest):
        pulls.announce(thread, ask.token, action, **more)
        return
    body: Body = {"issue": thread_shapes.issue(events.links(ask.world), thread)}
    events.emit(ask.repository, "issues", ask.token, body | more, action=action)


def set_thread_labels(ask: Ask, thread: Thread, names: list[str]) -> None:
    """Give a thread exactly these labels, made when missing, with one event for each change."""
    labels = [add_label(ask.repository, name) for name in names]
    before, thread.labels = thread.labels, list(dict.fromkeys(labels))
    links = events.links(ask.world)
    for action, changed in (
        ("unlabeled", [one for one in before if one not in thread.labels]),
        ("labeled", [one for one in thread.labels if one not in before]),
    ):
        for label in changed:
            if action == "labeled":
                labeling = Labeling(ask.world.next_id(), label, ask.token.user, ask.world.now())
                thread.labelings.append(labeling)
            _announce(ask, thread, action, label=thread_shapes.label(links, ask.repository, label))


AT = "/repos/{owner}/{repo}/issues"
READ, WRITE = "issues=read; pull_requests=read", "issues=write; pull_requests=write"
ROUTES = (
    Route("GET", AT, list_issues, READ),
    Route("POST", AT, create_issue, "issues=write", "read"),
    Route("GET", AT + "/{number}", get_issue, "issues=read"),
    Route("PATCH", AT + "/{number}", update_issue, WRITE),
)
