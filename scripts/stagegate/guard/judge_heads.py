"""Judges heads for every app and writes their statuses."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.guard import combine, comment, heads, judge
from stagegate.guard.heads import Head
from stagegate.guard.result import HeadJudged
from stagegate.model import Change
from stagegate.promotion.apps import App
from stagegate.proposal import write

ATTEMPTS = 5


@dataclass(frozen=True)
class Guard:
    """The pins repository, every app with its connections, GitHub's time, and the address of the run."""

    pins: hub.Hub
    places: Sequence[tuple[App, Connections]]
    now: datetime
    run_url: str
    dry_run: bool

    def judge(self, head: Head) -> HeadJudged:
        """As `_judge`; a failure becomes an error on this head, so that the others are judged too."""
        try:
            return self._judge(head)
        except Stop as stop:
            return self._unjudged(head, stop)
        except judge.ODD as error:
            return self._unjudged(head, judge.odd(head, error))

    def _unjudged(self, head: Head, stop: Stop) -> HeadJudged:
        """The head as an error, with the status error if GitHub accepts it, so that no earlier success stays."""
        unjudged = judge.unjudged("", stop)
        changes: tuple[Change, ...] = ()
        if not self.dry_run and self.places and stop.reason != "stale-base":
            with suppress(Stop):  # report the reason why it could not be judged
                writer = self.places[0][1].pins
                changes = write.status(writer, head.sha, unjudged.verdict, self.run_url)
        return HeadJudged(head=head, verdict=unjudged.verdict, apps=(unjudged,), changes=changes)

    def _judge(self, head: Head) -> HeadJudged:
        """Judge a head and write its status. A pull request that changed meanwhile is judged again first.

        Stop(stale-base) when it changes again and again.
        """
        for _ in range(ATTEMPTS):
            apps = judge.judge(self.places, head, self.now)
            verdict = combine.combine({app.app: app.verdict for app in apps})
            latest = heads.again(self.pins, head.pull.number) if head.pull else head
            if latest is None or head.same(latest):
                write_status = not self.dry_run and latest is not None
                writer = self.places[0][1].pins  # the App where there is one: only its statuses count then
                shows = {app.settings.render.show for app, _ in self.places}
                run = (self.now, self.run_url)
                changes = comment.written(writer, shows, head, apps, verdict, *run) if write_status else ()
                return HeadJudged(head=head, verdict=verdict, apps=apps, changes=changes)
            hub.forget()
            head = latest
        raise Stop(
            "stale-base",
            f"{head.name} changed {ATTEMPTS} times while pin-guard checked it.",
            "A status counts only for the commit that pin-guard checked.",
            "Nothing to do: each change starts pin-guard again.",
        )
