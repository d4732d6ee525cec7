"""Carries out the plans of a run: commits and tags, the release pull request, or only a list of changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from stagegate.errors import Stop
from stagegate.model import Change
from stagegate.release.bump.plan_facts import BumpFacts, BumpPlan
from stagegate.release.bump.request import BumpRequest, Mode
from stagegate.release.bump.versioned_app import VersionedApp
from stagegate.runner.context import Context

if TYPE_CHECKING:  # a plan from the clone alone loads no HTTP library
    from stagegate.clients.hub import Hub
    from stagegate.release.bump.release_commits import AppRelease


class BumpOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The plans of all apps and their effect. `commits` are the released commits, or the head for other apps.

    `head` is the newest commit of the branch after the run, `reason` the reason of the whole run, `pull` the number
    and address of the release pull request.
    """

    plans: tuple[BumpPlan, ...]
    commits: tuple[str, ...]
    head: str
    reason: str
    changes: tuple[Change, ...] = ()
    pull: tuple[int, str] = (0, "")


def write(
    request: BumpRequest,
    mode: Mode,
    apps: Sequence[VersionedApp],
    context: Context,
    github: Hub | None,
    all_facts: Sequence[BumpFacts],
    plans: Sequence[BumpPlan],
) -> BumpOutcome:
    """Commit and tag, open or update the release pull request, or only list the intended changes."""
    branch, head = all_facts[0].branch, all_facts[0].head
    outcome = BumpOutcome(
        plans=tuple(plans),
        commits=tuple(plan.commit or head for plan in plans),
        head=head,
        reason=_reason(plans),
    )
    if request.writes_nothing or github is None:
        return msgspec.structs.replace(outcome, changes=_intended(plans, mode, branch, head))
    from stagegate.release.bump.release_commits import AppRelease

    skip = (request.skip_staging, context.person or "an unknown person") if request.skip_staging else ("", "")
    releases = [
        AppRelease(settings=app.settings, plan=plan, skip=skip)
        for app, plan in zip(apps, plans, strict=True)
        if plan.reason == "released"
    ]
    if mode != "pull-request":
        return _release(outcome, apps, releases, github, branch, context) if releases else outcome
    # A merged release is tagged now, and so is one without files, for which a pull request has nothing to change.
    ready = [release for release in releases if release.plan.commit or not release.plan.files]
    waiting = [release for release in releases if release not in ready]
    if not any(release.plan.commit for release in ready):  # otherwise a later run proposes the waiting ones
        try:
            outcome = _propose(outcome, apps, waiting, github, branch, context.run_id)
        except Stop as stop:
            raise (_protected(branch, stop) if request.mode == "auto" else stop) from stop
    if not ready:
        return outcome
    outcome = _without(outcome, apps, waiting)
    return _release(outcome, apps, ready, github, branch, context)


def _without(
    outcome: BumpOutcome, apps: Sequence[VersionedApp], waiting: Sequence[AppRelease]
) -> BumpOutcome:
    """The outcome of a run that releases some apps, with those that wait for the release pull request marked."""
    names = {release.settings.app for release in waiting}
    number = outcome.pull[0]
    detail = (
        f"Pull request #{number} releases it when it is merged." if number else "A later run proposes it."
    )
    return msgspec.structs.replace(
        outcome,
        plans=tuple(
            msgspec.structs.replace(plan, reason="proposed", detail=f"{plan.version} is next. {detail}")
            if app.settings.app in names
            else plan
            for app, plan in zip(apps, outcome.plans, strict=True)
        ),
    )


def _propose(
    outcome: BumpOutcome,
    apps: Sequence[VersionedApp],
    releases: Sequence[AppRelease],
    github: Hub,
    branch: str,
    run_id: str,
) -> BumpOutcome:
    """Open or update the release pull request, or close it when no app needs a release."""
    from stagegate.release.bump import release_pull

    settings = [app.settings for app in apps]
    if not releases:
        withdrawn = release_pull.withdraw(github, settings, branch, outcome.head)
        return msgspec.structs.replace(outcome, changes=withdrawn)
    proposed = release_pull.propose(github, settings, releases, branch, outcome.head, run_id)
    pull = (proposed.number, proposed.url)
    return msgspec.structs.replace(outcome, reason=proposed.reason, changes=proposed.changes, pull=pull)


def _release(
    outcome: BumpOutcome,
    apps: Sequence[VersionedApp],
    releases: Sequence[AppRelease],
    github: Hub,
    branch: str,
    context: Context,
) -> BumpOutcome:
    """Commit and tag the releases."""
    from stagegate.release.bump import apply

    shas, changes = apply.apply(
        releases,
        github,
        workspace=context.workspace,
        branch=branch,
        head=outcome.head,
        run_id=context.run_id,
    )
    shas_by_app = {release.settings.app: sha for release, sha in zip(releases, shas, strict=True)}
    commits = tuple(
        shas_by_app.get(app.settings.app, sha) for app, sha in zip(apps, outcome.commits, strict=True)
    )
    head = next((change.after for change in changes if change.kind == "commit"), outcome.head)
    return msgspec.structs.replace(
        outcome, reason="released", commits=commits, changes=(*outcome.changes, *changes), head=head
    )


def _protected(branch: str, stop: Stop) -> Stop:
    """The error when neither a commit nor a pull request is possible; any other error is returned as it is."""
    if stop.reason != "missing-permission":
        return stop
    return Stop(
        "protected-branch",
        f"{branch} accepts changes only through pull requests, but this job cannot open a release "
        "pull request.",
        f"{stop.what} {stop.why}",
        "Give the job `pull-requests: write` and allow GitHub Actions to create pull requests "
        "(Settings > Actions), or pass the `token` of a GitHub App that is on the bypass list of "
        "the branch's rules.",
    )


def _reason(plans: Sequence[BumpPlan]) -> str:
    """The reason of the whole run: the most important one of its apps."""
    reasons = [plan.reason for plan in plans]
    order = ("findings", "released", "already-released", "verified", "no-release-needed")
    return next((reason for reason in order if reason in reasons), reasons[0])


def _intended(plans: Sequence[BumpPlan], mode: Mode, branch: str, head: str) -> tuple[Change, ...]:
    """The changes a dry run would make."""
    intended: list[Change] = []
    for plan in plans:
        if plan.reason != "released":
            continue
        if plan.files and not plan.commit and mode != "tag":
            files = ", ".join(plan.files)
            intended.append(Change(kind="commit", target=branch, before=head, after=files, done=False))
        intended.append(Change(kind="tag", target=plan.tag, after=plan.commit or head, done=False))
    return tuple(intended)
