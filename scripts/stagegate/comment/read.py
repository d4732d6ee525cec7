"""Who commented what, where: the event, and what GitHub says now about the comment, its author and its place."""

from __future__ import annotations

from typing import Any

import msgspec

from stagegate.clients import hub
from stagegate.comment import reply
from stagegate.errors import Stop
from stagegate.model import Actor
from stagegate.runner.context import Context


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The comment as its event brought it. `author` None: the account is gone.

    `again`: who repeats this run, where somebody else began it; `attempt` counts from 1.
    """

    action: str
    comment: int
    number: int
    body: str
    author: Actor | None
    is_pull: bool
    is_open: bool
    again: str = ""
    attempt: int = 1


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What GitHub says now. `comment` None: it was deleted; `pull` None: an issue; `answer`: ours, from before.

    `permission` is the author's, `again` that of who repeats the run, where that is somebody else.
    """

    repository: str
    comment: hub.Comment | None
    permission: str
    again: str = ""
    pull: hub.Pull | None = None
    head_at: str = ""
    answer: hub.Comment | None = None


def asked(context: Context) -> Asked:
    """The comment of this run's event. Stop(bad-input) when the run was started by something else."""
    event = context.event()
    comment, issue = event.get("comment"), event.get("issue")
    if context.event_name != "issue_comment" or not isinstance(comment, dict) or not isinstance(issue, dict):
        raise Stop(
            "bad-input",
            "No comment started this run.",
            f"The event is {context.event_name or 'missing'}, and commands arrive by issue_comment.",
            "Run it `on: issue_comment: {types: [created]}`.",
        )
    try:
        return Asked(
            action=str(event.get("action", "")),
            comment=int(comment["id"]),
            number=int(issue["number"]),
            body=str(comment.get("body") or ""),
            author=_actor(comment.get("user")),
            is_pull=isinstance(issue.get("pull_request"), dict),
            is_open=issue.get("state") == "open",
            again="".join(context.people[1:]),
            attempt=context.run_attempt,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Stop(
            "bad-input", "The event of this run is not complete.", f"{error!r}.", "Run the workflow again."
        ) from error


def scene(pins: hub.Hub, asked: Asked) -> Scene:
    """Everything that may have changed since the event. Whatever cannot be read is a Stop: fail closed."""
    comments = {comment.id: comment for comment in pins.comments(asked.number)}
    pull = pins.pull(asked.number) if asked.is_pull else None
    head = pins.commit_info(pull.head_sha) if pull else None
    return Scene(
        repository=pins.repository,
        comment=comments.get(asked.comment),
        permission=pins.permission(asked.author.login) if asked.author else "none",
        again=pins.permission(asked.again) if asked.again else "",
        pull=pull,
        head_at=head.committed_at if head else "",
        answer=reply.ours(comments.values(), asked.comment, pins.viewer()),
    )


def _actor(user: Any) -> Actor | None:
    """The account of a payload; None for a ghost, whose comments name nobody."""
    try:
        known = Actor(kind=user["type"], id=int(user["id"]), login=str(user["login"]))
        return msgspec.convert(msgspec.to_builtins(known), Actor)
    except (KeyError, TypeError, ValueError, msgspec.ValidationError):
        return None
