"""Decides and makes releases; starts again from the facts when another run has moved the branch."""

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

ATTEMPTS = 3  # while other runs create the same tag
_NEEDS_PULL = frozenset({"pull_request", "merge_queue", "required_status_checks"})


def bump(
    request: BumpRequest,
    apps: Sequence[VersionedApp],
    context: Context,
    github: Hub | None,
    registry: Registry | None = None,
) -> carry_out.BumpOutcome:
    """Read facts, plan and apply; repeat when another run was faster. Without `github` only the clone is read."""
    demand_fit(apps, request)
    branch = request.branch or context.branch
    if not branch:
        branch = github.default_branch() if github else git.branch(context.workspace)
    mode = _mode(request, github, branch)
    retries = Retries()
    for attempt in itertools.count(1):
        all_facts = read(request, mode, branch, apps, context, github, registry)
        try:
            plans = decide(request, mode, apps, all_facts)
            return carry_out.write(request, mode, apps, context, github, all_facts, plans)
        except Stop as stop:
            # A protection that is not among GitHub's rules, or an unfinished release of an earlier run.
            if (
                request.mode == "auto"
                and mode == "commit"
                and stop.reason in ("protected-branch", "bad-settings")
            ):
                if github is None or request.writes_nothing or not _needs_pull(github, apps, all_facts, stop):
                    raise
                mode = "pull-request"
                log.say(
                    f"{branch} accepts changes only through pull requests, so version-bump uses a "
                    "release pull request"
                )
            elif stop.reason == "stale-base" or (stop.reason == "tag-taken" and attempt < ATTEMPTS):
                retries.wait(stop, f"Reading {branch} and the tags")
            else:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _needs_pull(
    github: Hub, apps: Sequence[VersionedApp], all_facts: Sequence[BumpFacts], stop: Stop
) -> bool:
    """Whether to continue with a release pull request:

    GitHub refused the commit, or one is merged without a tag.
    """
    from stagegate.release.bump import release_pull

    if stop.reason == "protected-branch":
        return True
    return release_pull.merged(github, [app.settings for app in apps], all_facts) != tuple(all_facts)


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
    all_facts = facts.read(
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

        all_facts = charts.added(registry, apps, all_facts)
    if github is not None and mode == "pull-request":
        from stagegate.release.bump import release_pull

        all_facts = release_pull.merged(github, [app.settings for app in apps], all_facts)
    return all_facts


def decide(
    request: BumpRequest, mode: Mode, apps: Sequence[VersionedApp], all_facts: Sequence[BumpFacts]
) -> tuple[BumpPlan, ...]:
    """The next versions, or for the mode `verify` whether the files contain the expected one."""
    pairs = [(app.settings, facts) for app, facts in zip(apps, all_facts, strict=True)]
    if mode == "verify":
        expected = "" if request.bump == "auto" else request.bump
        return tuple(deciding.verify(settings, facts, expected) for settings, facts in pairs)
    return together.plan_all(pairs, request.bump, only_tag=mode == "tag")


def _mode(request: BumpRequest, github: Hub | None, branch: str) -> Mode:
    """The mode that `auto` means: a pull request where the rules of the branch forbid this token to commit."""
    if request.mode != "auto" or request.writes_nothing or github is None:
        return "commit" if request.mode == "auto" else request.mode
    rules = {rule.type for rule in github.branch_rules(branch) or ()}
    return "pull-request" if rules & _NEEDS_PULL and github.is_actions_token() else "commit"
