"""Finds the heads to judge: of one pull request, of a merge group, or of every open pull request."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.promotion.evaluate import Origin
from stagegate.proposal import labels as labelled
from stagegate.runner.context import Context

_QUEUED = re.compile(r"refs/heads/gh-readonly-queue/(?:.+)/pr-([0-9]+)-[0-9a-f]{40,64}")
_SHA = re.compile(r"[0-9a-f]{40,64}")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A commit whose status is wanted: of `pull`, or of a merge group that goes on from `before`.

    `origin`: the pull request that a group adds to the queue, with its labels, commits and approvals.
    """

    sha: str
    pull: hub.Pull | None = None
    before: str = ""
    labels: tuple[str, ...] = ()
    origin: Origin | None = None

    @property
    def name(self) -> str:
        """The name of the head for people."""
        return f"#{self.pull.number}" if self.pull else f"merge group {self.sha[:12]}"

    def same(self, other: Head | None) -> bool:
        """Whether nothing has changed that the judgement depends on."""
        return other is not None and (self.sha, self.labels, self.before) == (
            other.sha,
            other.labels,
            other.before,
        )


def heads(pins: hub.Hub, context: Context, number: int) -> tuple[Head, ...]:
    """What the event asks about; `number` wins over the event, and without either every open pull request.

    Pull requests that do not lead to the default branch, or are closed, have no status and are left out.
    """
    event = context.event()
    group = event.get("merge_group")
    if isinstance(group, dict) and not number:
        return (_group(pins, group),)
    requested = number or _number(event)
    if not requested:
        return tuple(map(_head, pins.pulls(base=pins.default_branch())))
    head = again(pins, requested)
    return (head,) if head else ()


def again(pins: hub.Hub, number: int) -> Head | None:
    """A pull request as it is now; None when it is closed or leads elsewhere. Stop(bad-input) for no such."""
    pull = pins.pull(number)
    if pull is None:
        raise Stop(
            "bad-input",
            f"{pins.repository} has no pull request {number}.",
            "The input `pull-request` names this pull request.",
            "Correct the input `pull-request`.",
        )
    return _head(pull) if pull.state == "open" and pull.base_ref == pins.default_branch() else None


def _head(pull: hub.Pull) -> Head:
    return Head(sha=pull.head_sha, pull=pull, labels=tuple(sorted(pull.labels)))


def _group(pins: hub.Hub, group: dict[str, Any]) -> Head:
    """The group's own commit and the one it goes on from; its labels are those of the pull request it adds."""
    sha, before = str(group.get("head_sha", "")), str(group.get("base_sha", ""))
    queued = _QUEUED.fullmatch(str(group.get("head_ref", "")))
    if not _SHA.fullmatch(sha) or not _SHA.fullmatch(before):
        raise Stop(
            "bad-input",
            "The event of this merge group names no commits.",
            "Without the commits, pin-guard cannot check the merge group.",
            "Add `merge_group: {types: [checks_requested]}` to the `on:` of the workflow that runs pin-guard.",
        )
    pull = pins.pull(int(queued[1])) if queued else None
    if pull is None:
        return Head(sha=sha, before=before)
    labels = tuple(sorted(labelled.counted(pins, pull)))
    origin = Origin(pull=pull, compared=pins.compare(before, pull.head_sha), labels=labels)
    return Head(sha=sha, before=before, labels=labels, origin=origin)


def _number(event: dict[str, Any]) -> int:
    pull = event.get("pull_request")
    number = pull.get("number") if isinstance(pull, dict) else None
    return number if isinstance(number, int) else 0
