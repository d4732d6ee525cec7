"""Labels of issues, pull requests and repositories."""

from __future__ import annotations

from lab.forge import thread_shapes
from lab.forge.exchange import Answer, Ask, made
from lab.forge.records import Label
from lab.forge.refusal import invalid, malformed, not_found
from lab.forge.rest.issues import READ, WRITE, find_thread, set_thread_labels
from lab.forge.routing import Route
from lab.forge.state import add_label


def list_labels(ask: Ask) -> Answer:
    """GET issues/{number}/labels."""
    return _labels(ask, find_thread(ask).labels)


def add_labels(ask: Ask) -> Answer:
    """POST issues/{number}/labels: missing ones are made."""
    thread = find_thread(ask)
    names = ask.fields.texts("labels")
    if not names:
        raise malformed('"labels" wasn\'t supplied.')
    set_thread_labels(ask, thread, [label.name for label in thread.labels] + names)
    return _labels(ask, thread.labels)


def set_labels(ask: Ask) -> Answer:
    """PUT issues/{number}/labels."""
    thread = find_thread(ask)
    set_thread_labels(ask, thread, ask.fields.texts("labels") or [])
    return _labels(ask, thread.labels)


def remove_label(ask: Ask) -> Answer:
    """DELETE issues/{number}/labels/{name}; 404 when it is not there."""
    thread, name = find_thread(ask), ask.param("name").lower()
    remaining = [label.name for label in thread.labels if label.name.lower() != name]
    if len(remaining) == len(thread.labels):
        raise not_found("Label does not exist")
    set_thread_labels(ask, thread, remaining)
    return _labels(ask, thread.labels)


def _labels(ask: Ask, labels: list[Label]) -> Answer:
    return Answer(200, [thread_shapes.label(ask.links, ask.repository, label) for label in labels])


def repository_labels(ask: Ask) -> Answer:
    """GET labels."""
    labels = ask.repository.labels.values()
    return ask.page([thread_shapes.label(ask.links, ask.repository, label) for label in labels])


def get_label(ask: Ask) -> Answer:
    """GET labels/{name}."""
    label = ask.repository.labels.get(ask.param("name").lower())
    if label is None:
        raise not_found()
    return Answer(200, thread_shapes.label(ask.links, ask.repository, label))


def create_label(ask: Ask) -> Answer:
    """POST labels; 422 when it exists."""
    name = ask.fields.text("name")
    if name.lower() in ask.repository.labels:
        raise invalid("Label", "name", "already_exists")
    color = ask.fields.text_or("color", "ededed")
    label = add_label(ask.repository, name, color, ask.fields.text_or("description", None))
    return made(thread_shapes.label(ask.links, ask.repository, label))


AT = "/repos/{owner}/{repo}/issues"
LABELS = "/repos/{owner}/{repo}/labels"
ROUTES = (
    Route("GET", AT + "/{number}/labels", list_labels, READ),
    Route("POST", AT + "/{number}/labels", add_labels, WRITE),
    Route("PUT", AT + "/{number}/labels", set_labels, WRITE),
    Route("DELETE", AT + "/{number}/labels/{name*}", remove_label, WRITE),
    Route("GET", LABELS, repository_labels, READ),
    Route("POST", LABELS, create_label, WRITE),
    Route("GET", LABELS + "/{name*}", get_label, READ),
)
