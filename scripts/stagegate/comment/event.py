"""Reads the comment that started this run from its event."""

from __future__ import annotations

from typing import Any

import msgspec

from stagegate.errors import Stop
from stagegate.model import Actor
from stagegate.runner.context import Context


class CommentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The comment in the event. `author` None: the account is gone.

    `repeated_by`: who repeats this run, where somebody else began it; `attempt` counts from 1.
    """

    action: str
    comment: int
    number: int
    body: str
    author: Actor | None
    is_pull: bool
    is_open: bool
    repeated_by: str = ""
    attempt: int = 1


def read(context: Context) -> CommentEvent:
    """The comment of this run's event. Stop(bad-input) when the run was started by something else."""
    event = context.event()
    comment, issue = event.get("comment"), event.get("issue")
    if context.event_name != "issue_comment" or not isinstance(comment, dict) or not isinstance(issue, dict):
        raise Stop(
            "bad-input",
            "No comment started this run.",
            f"The event is {context.event_name or 'missing'}, and commands arrive by issue_comment.",
            "Start the workflow with `on: issue_comment: {types: [created]}`.",
        )
    try:
        return CommentEvent(
            action=str(event.get("action", "")),
            comment=int(comment["id"]),
            number=int(issue["number"]),
            body=str(comment.get("body") or ""),
            author=_actor(comment.get("user")),
            is_pull=isinstance(issue.get("pull_request"), dict),
            is_open=issue.get("state") == "open",
            repeated_by="".join(context.people[1:]),
            attempt=context.run_attempt,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Stop(
            "bad-input", "The event of this run is not complete.", f"{error!r}.", "Run the workflow again."
        ) from error


def author(event: CommentEvent) -> str:
    """Login of who commented, for people."""
    return event.author.login if event.author else "somebody unknown"


def _actor(user: Any) -> Actor | None:
    """The account of a payload; None for a ghost, whose comments name nobody. A bot's login ends with `[bot]`."""
    try:
        login = str(user["login"])
        is_named_like_a_person = user["type"] == "Bot" and not login.endswith("[bot]")
        login += "[bot]" * is_named_like_a_person
        actor = Actor(kind=user["type"], id=int(user["id"]), login=login)
        return msgspec.convert(msgspec.to_builtins(actor), Actor)
    except (KeyError, TypeError, ValueError, msgspec.ValidationError):
        return None
