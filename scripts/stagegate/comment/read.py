"""Reads the current state of a comment, its author, and its issue or pull request."""

from __future__ import annotations

import msgspec

from stagegate.clients import hub
from stagegate.comment import reply
from stagegate.comment.event import CommentEvent
from stagegate.policy import permissions


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """What GitHub reports now. `comment` None: it was deleted; `pull` None: an issue; `answer`: ours, from before.

    `permission` is the author's, `repeater_permission` that of who repeats the run, where that is somebody else.
    GitHub grants none to a bot: policy decides about it.
    """

    repository: str
    comment: hub.Comment | None
    permission: str
    repeater_permission: str = ""
    pull: hub.Pull | None = None
    head_at: str = ""
    answer: hub.Comment | None = None


def thread(pins: hub.Hub, event: CommentEvent) -> Thread:
    """Everything that may have changed since the event. Whatever cannot be read is a Stop: fail closed."""
    comments = {comment.id: comment for comment in pins.comments(event.number)}
    pull = pins.pull(event.number) if event.is_pull else None
    # The time of the push by GitHub's clock, because a committer can write any date.
    place = (pull.head_ref, pull.head_repository, pull.head_sha) if pull and pull.head_repository else None
    push = pins.pushed(*place) if place else None
    return Thread(
        repository=pins.repository,
        comment=comments.get(event.comment),
        permission=_permission(pins, event.author.login) if event.author else "none",
        repeater_permission=_permission(pins, event.repeated_by) if event.repeated_by else "",
        pull=pull,
        head_at=push.at if push else "",
        answer=reply.ours(comments.values(), event.comment, pins.viewer()),
    )


def _permission(pins: hub.Hub, login: str) -> str:
    """The permission of a person. For a bot GitHub returns an error, so it has none."""
    return "none" if permissions.is_bot(login) else pins.permission(login)
