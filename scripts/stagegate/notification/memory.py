"""The record of sent messages: a commit status on the release's commit for each event."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from stagegate.clients import hub
from stagegate.notification.notices import Notice
from stagegate.settings import Channel

PREFIX = "stagegate/notified"
OVER = "over"


def context_of(action: str, app: str, environment: str, event: str) -> str:
    """The context of the status that remembers an event."""
    return "/".join((PREFIX, app or "-", environment or "-", action, event))


class Told:
    """The statuses of one commit that remember messages, as they were when it was first asked."""

    def __init__(self, github: hub.Hub, sha: str) -> None:
        self._github, self._sha = github, sha
        self._newest: dict[str, str] = {}
        for status in github.statuses(sha):
            if status.context.startswith(f"{PREFIX}/"):
                self._newest.setdefault(status.context, status.description)

    def has(self, notice: Notice, channel: Channel) -> bool:
        """Whether this channel got exactly this event."""
        words, _, marks = self._newest.get(_context(notice), "").partition("; sent ")
        return words == _words(notice) and _mark(channel) in marks.split()

    def remember(self, notice: Notice, channels: Iterable[Channel]) -> None:
        """Record that these channels got the event, besides those that had it."""
        context, words = _context(notice), _words(notice)
        before, _, marks = self._newest.get(context, "").partition("; sent ")
        kept = dict.fromkeys([*(marks.split() if before == words else ()), *map(_mark, channels)])
        self._write(context, f"{words}; sent {' '.join(kept)}")

    def forget(self, action: str, app: str, environment: str) -> None:
        """End the refusals and failures of an action in an environment: the next one is sent again."""
        for event in ("refusal", "failure"):
            context = context_of(action, app, environment, event)
            if self._newest.get(context, OVER) != OVER:
                self._write(context, OVER)

    def _write(self, context: str, description: str) -> None:
        self._github.set_first_status(self._sha, context, "success", description)
        self._newest[context] = description


def _context(notice: Notice) -> str:
    return context_of(notice.action, notice.app, notice.environment, notice.event)


def _words(notice: Notice) -> str:
    return f"{notice.reason} {notice.subject}".strip()[:80]


def _mark(channel: Channel) -> str:
    return hashlib.sha256(channel.key.encode()).hexdigest()[:4]
