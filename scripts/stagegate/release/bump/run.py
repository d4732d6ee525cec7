"""Decides and makes releases, and starts again from the facts when somebody else moved the branch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from stagegate.clients import git
from stagegate.errors import Stop
from stagegate.release.bump import carry_out, facts, together
from stagegate.release.bump import plan as deciding
from stagegate.release.bump.plan_facts import BumpFacts, BumpPlan
from stagegate.release.bump.request import BumpRequest, Mode, demand_fit
from stagegate.release.bump.versioned_app import VersionedApp
from stagegate.runner import log
from stagegate.runner.context import Context
from stagegate.runner.retries import Retries

if TYPE_CHECKING:  # a plan from the clone alone loads no HTTP library
    from stagegate.clients.hub import Hub
    from stagegate.clients.registry import Registry

ATTEMPTS = 3  # for a tag that another run made
_NEEDS_PULL = frozenset({"pull_request", "merge_queue", "required_status_checks"})


def bump(
    request: BumpRequest,
    apps: Sequence[VersionedApp],
    context: Context,
    github: Hub | None,
    registry: Registry | None = None,
) -> carry_out.Bumped:
    """Facts, plan and apply, again when another run was first. Without `github` the local clone alone is read."""
    demand_fit(apps, request)
    branch = request.branch or context.branch
    if not branch:
        branch = github.default_branch() if github else git.branch(context.workspace)
    mode = _mode(request, github, branch)
    retries = Retries()
    for attempt in itertools.count(1):
        known = read(request, mode, branch, apps, context, github, registry)
        try:
            plans = decide(request, mode, apps, known)
            return carry_out.write(request, mode, apps, context, github, known, plans)
        except Stop as stop:
            # `auto` has met a protection that GitHub's rules do not list, or what such a run before has left.
            if (
                request.mode == "auto"
                and mode == "commit"
                and stop.reason in ("protected-branch", "bad-settings")
            ):
                if github is None or request.only_tells or not _goes_on(github, apps, known, stop):
                    raise
                mode = "pull-request"
                log.say(f"{branch} takes changes only through pull requests")
            elif stop.reason == "stale-base" or (stop.reason == "tag-taken" and attempt < ATTEMPTS):
                retries.wait(stop, f"Reading {branch} and the tags")
            else:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _goes_on(github: Hub, apps: Sequence[VersionedApp], known: Sequence[BumpFacts], stop: Stop) -> bool:
    """Whether a release pull request is the way: a commit was refused for it, or one is merged and waits."""
    from stagegate.release.bump import release_pull

    if stop.reason == "protected-branch":
        return True
    return release_pull.merged(github, [app.settings for app in apps], known) != tuple(known)


def read(
    request: BumpRequest,
    mode: Mode,
    branch: str,
    apps: Sequence[VersionedApp],
    context: Context,
    github: Hub | None,
    registry: Registry | None,
) -> tuple[BumpFacts, ...]:
    """The facts at the newest commit of the branch."""
    known = facts.read(
        apps,
        github,
        context.workspace,
        branch,
        run_id=context.run_id,
        today=datetime.now(timezone.utc).date().isoformat(),
        env=git.credentials(context.server_url, request.token),
        history=request.mode != "verify",
    )
    if registry is not None and request.mode != "verify":
        from stagegate.release.bump import charts

        known = charts.added(registry, apps, known)
    if github is not None and mode == "pull-request":
        from stagegate.release.bump import release_pull

        known = release_pull.merged(github, [app.settings for app in apps], known)
    return known


def decide(
    request: BumpRequest, mode: Mode, apps: Sequence[VersionedApp], known: Sequence[BumpFacts]
) -> tuple[BumpPlan, ...]:
    """The next versions, or in the mode `verify` whether the files hold the expected one."""
    pairs = [(app.settings, facts) for app, facts in zip(apps, known, strict=True)]
    if mode == "verify":
        expected = "" if request.bump == "auto" else request.bump
        return tuple(deciding.verify(settings, facts, expected) for settings, facts in pairs)
    return together.plan_all(pairs, request.bump, only_tag=mode == "tag")


def _mode(request: BumpRequest, github: Hub | None, branch: str) -> Mode:
    """What `auto` means here: a pull request where GitHub's rules for the branch let this token do nothing else."""
    if request.mode != "auto" or request.only_tells or github is None:
        return "commit" if request.mode == "auto" else request.mode
    rules = {rule.type for rule in github.branch_rules(branch) or ()}
    return "pull-request" if rules & _NEEDS_PULL and github.is_actions_token() else "commit"
