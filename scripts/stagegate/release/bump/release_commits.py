"""Makes the commits of releases on a helper branch: one for each app whose files change."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate import markdown
from stagegate.clients.hub import Hub, RefUpdate, StaleHead
from stagegate.clients.hub.values import ZERO
from stagegate.errors import Stop
from stagegate.model import trailers
from stagegate.release.bump.plan_facts import BumpPlan
from stagegate.runner import log
from stagegate.settings import Settings


class AppRelease(msgspec.Struct, frozen=True, kw_only=True):
    """An app and its plan. `skip` is the reason to skip its gate in staging and the person who requested that."""

    settings: Settings
    plan: BumpPlan
    skip: tuple[str, str] = ("", "")

    @property
    def tag_message(self) -> str:
        """The message of its tag: the notes, and why and by whom the gate is skipped."""
        reason, actor = self.skip
        skipped = f"Gate in staging skipped by {actor}: {reason}\n\n" if reason else ""
        notes = markdown.plain(f"{skipped}{self.plan.notes}")
        return f"{self.settings.app} {self.plan.version}\n\n{notes}\n"


def make(hub: Hub, helper: str, head: str, releases: Sequence[AppRelease], run_id: str) -> list[str]:
    """Make one commit for each release on the branch `helper`, which begins at `head`; return their shas."""
    _prepare(hub, helper, head)
    shas, tip = [], head
    for release in releases:
        app, version = release.settings.app, release.plan.version
        headline = f"chore(release): {app} {version}"
        body = trailers.written({trailers.APP: app, trailers.VERSION: version, trailers.RUN: run_id})
        tip = hub.create_commit(helper, tip, headline, body, release.plan.files)
        shas.append(tip)
    return shas


def discard(hub: Hub, helper: str) -> None:
    """Remove a helper branch after an error. A failure here is only logged, so that the first error is reported."""
    try:
        tip = hub.head(helper)
        if tip:
            hub.update_refs([RefUpdate(name=f"refs/heads/{helper}", before=tip, after=ZERO)])
    except Stop as stop:
        log.say(f"the branch {helper} could not be deleted; delete this branch by hand: {stop.what}")


def _prepare(hub: Hub, helper: str, head: str) -> None:
    """Point the helper branch to `head`, also when a killed attempt of this run left it at another commit."""
    try:
        hub.create_ref(f"refs/heads/{helper}", head)
    except StaleHead:
        tip = hub.head(helper)
        if tip is None:
            raise
        hub.update_refs([RefUpdate(name=f"refs/heads/{helper}", before=tip, after=head, force=True)])
