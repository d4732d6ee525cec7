"""The facts of an app's status, as values."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stagegate.clients.hub import ACTIONS_BOT, BranchPull, Commit, LogEntry, ReleaseTag, Status
from stagegate.evidence.records import Record, is_accepted
from stagegate.evidence.records import context as gate_context
from stagegate.model import Actor, WorkflowRun, branch_names, trailers
from stagegate.policy.facts import PromotionFacts


class StatusFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about promotions, and what only a report shows.

    `looks`: of each environment, newest first. `tags`: of releases, newest first. `pulls`: promotions and
    rollbacks, open or merged, the newest of each branch first. `moves`: the newest commits on the first pin file of
    each environment. `log`: of the app's default branch. `unread`: what could not be read, in words, by part.
    """

    promotion: PromotionFacts
    server_url: str
    looks: Mapping[str, tuple[Record, ...]] = {}
    tags: tuple[ReleaseTag, ...] = ()
    tags_read: int = 0
    pulls: tuple[BranchPull, ...] = ()
    moves: Mapping[str, tuple[Commit, ...]] = {}
    log: tuple[LogEntry, ...] = ()
    unread: Mapping[str, str] = {}

    @property
    def app_url(self) -> str:
        """The web address of the app repository."""
        return f"{self.server_url}/{self.promotion.app_repository}"

    @property
    def pins_url(self) -> str:
        """The web address of the pins repository."""
        return f"{self.server_url}/{self.promotion.pins_repository}"

    @property
    def tag_prefix(self) -> str:
        """The text before the version in a tag of this app."""
        return self.promotion.settings.version.tag_prefix

    @property
    def milestone_writers(self) -> tuple[Actor, ...]:
        """Who records when a release was built and published: GitHub's own bot too, as those jobs have no App."""
        return (*self.promotion.accepted, ACTIONS_BOT)

    def run_url(self, run: WorkflowRun) -> str:
        """Where people look at a run, also where its record has only its number."""
        return run.url or (f"{self.pins_url}/actions/runs/{run.id}" if run.id.isdecimal() else "")

    def tag(self, version: str) -> ReleaseTag | None:
        """The tag of a version, if it is among the newest."""
        return next((tag for tag in self.tags if tag.name == self.tag_prefix + version), None)

    def gate_status(self, environment: str, version: str) -> Status | None:
        """The newest status of a gate on a version's commit, by somebody whose states count."""
        tag, wanted = self.tag(version), gate_context(self.promotion.app, environment)
        statuses = (status for status in (tag.statuses if tag else ()) if status.context == wanted)
        return next((s for s in statuses if is_accepted(s.creator, self.promotion.accepted)), None)

    def pulls_of(self, environment: str) -> tuple[BranchPull, ...]:
        """Promotions and rollbacks of an environment, rollbacks first."""
        promotion, rollback = branch_names.both(self.promotion.app, environment)
        return tuple(p for branch in (rollback, promotion) for p in self.pulls if p.branch == branch)


def version_of(pull: BranchPull) -> str:
    """The version that a promotion brings: by the trailer of its commit, else by the end of its title."""
    return pull.trailers.get(trailers.VERSION, "") or pull.title.split(" ")[-1]
