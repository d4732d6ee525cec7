"""Decides and makes a release, and starts again from the facts when somebody else moved the branch."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Literal

import msgspec

from stagegate.clients import git
from stagegate.clients.hub import Hub
from stagegate.errors import Stop
from stagegate.model import Change
from stagegate.release.bump import apply, facts
from stagegate.release.bump import plan as deciding
from stagegate.release.bump.plan import BumpFacts, BumpPlan
from stagegate.runner import log
from stagegate.runner.context import Context
from stagegate.settings import Settings

ATTEMPTS = 3

Mode = Literal["commit", "plan", "verify"]


class BumpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: the level or version, what to do with it, and where. `token` is for git."""

    bump: str
    mode: Mode
    branch: str
    config: str
    token: str
    dry_run: bool

    @property
    def only_tells(self) -> bool:
        """Whether this run writes nothing."""
        return self.dry_run or self.mode != "commit"


class Bumped(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and what came of it: `commit` is the released one, or the one that was looked at."""

    plan: BumpPlan
    commit: str
    changes: tuple[Change, ...]


def bump(request: BumpRequest, settings: Settings, context: Context, github: Hub | None) -> Bumped:
    """Facts, plan and apply, up to three times. Without `github` the local clone alone is read."""
    for attempt in range(1, ATTEMPTS + 1):
        known = read(request, settings, context, github)
        decided = decide(request, settings, known)
        try:
            return write(request, settings, context, github, known, decided)
        except Stop as stop:
            if stop.reason not in ("stale-base", "tag-taken") or attempt == ATTEMPTS:
                raise
            log.say(f"{known.branch} or the tag {decided.tag} moved meanwhile: reading them again")
    raise AssertionError("unreachable: the last attempt returns or raises")


def read(request: BumpRequest, settings: Settings, context: Context, github: Hub | None) -> BumpFacts:
    """The facts at the newest commit of the branch."""
    branch = request.branch or context.branch
    if not branch:
        branch = github.default_branch() if github else git.branch(context.workspace)
    return facts.read(
        settings,
        github,
        context.workspace,
        branch,
        config=request.config,
        run_id=context.run_id,
        today=datetime.now(timezone.utc).date().isoformat(),
        env=git.credentials(context.server_url, request.token),
    )


def decide(request: BumpRequest, settings: Settings, known: BumpFacts) -> BumpPlan:
    """The next version, or in the mode `verify` whether the files hold the expected one."""
    if request.mode == "verify":
        return deciding.verify(settings, known, "" if request.bump == "auto" else request.bump)
    return deciding.plan(settings, known, request.bump)


def write(
    request: BumpRequest,
    settings: Settings,
    context: Context,
    github: Hub | None,
    known: BumpFacts,
    decided: BumpPlan,
) -> Bumped:
    """Commit and tag, or the changes that a dry run would make."""
    if decided.reason != "released" or request.only_tells or github is None:
        changes = apply.intended(decided, known.branch, known.head)
        return Bumped(plan=decided, commit=known.head, changes=changes)
    sha, changes = apply.apply(
        decided,
        settings,
        github,
        workspace=context.workspace,
        branch=known.branch,
        head=known.head,
        run_id=context.run_id,
    )
    return Bumped(plan=decided, commit=sha, changes=changes)
