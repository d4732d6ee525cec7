"""Carries out the plans of a run: commits and tags, or the release pull request, or only a list of changes."""

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


class Bumped(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions and what came of them: `commits` are the released ones, or the one that was looked at.

    `head` is the newest commit of the branch now, `reason` the word of the whole run, `pull` the number and address
    of the release pull request.
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
    known: Sequence[BumpFacts],
    plans: Sequence[BumpPlan],
) -> Bumped:
    """Commit and tag, open or update the release pull request, or only tell what would happen."""
    branch, head = known[0].branch, known[0].head
    bumped = Bumped(
        plans=tuple(plans),
        commits=tuple(plan.commit or head for plan in plans),
        head=head,
        reason=_reason(plans),
    )
    if request.only_tells or github is None:
        return msgspec.structs.replace(bumped, changes=_intended(plans, mode, branch, head))
    from stagegate.release.bump.release_commits import AppRelease

    skip = (request.skip_staging, context.person or "an unknown person") if request.skip_staging else ("", "")
    releases = [
        AppRelease(settings=app.settings, plan=plan, skip=skip)
        for app, plan in zip(apps, plans, strict=True)
        if plan.reason == "released"
    ]
    if mode == "pull-request" and not any(release.plan.commit for release in releases):
        try:
            return _propose(bumped, apps, releases, github, branch, context.run_id)
        except Stop as stop:
            raise (_protected(branch, stop) if request.mode == "auto" else stop) from stop
    if mode == "pull-request":  # merged: these are tagged now, the others are proposed by a later run
        releases = [release for release in releases if release.plan.commit]
    return _release(bumped, apps, releases, github, branch, context) if releases else bumped


def _propose(
    bumped: Bumped,
    apps: Sequence[VersionedApp],
    releases: Sequence[AppRelease],
    github: Hub,
    branch: str,
    run_id: str,
) -> Bumped:
    """Open or update the release pull request, or close one that nothing asks for any more."""
    from stagegate.release.bump import release_pull

    settings = [app.settings for app in apps]
    if not releases:
        withdrawn = release_pull.withdraw(github, settings, branch, bumped.head)
        return msgspec.structs.replace(bumped, changes=withdrawn)
    made = release_pull.propose(github, settings, releases, branch, bumped.head, run_id)
    pull = (made.number, made.url)
    return msgspec.structs.replace(bumped, reason=made.reason, changes=made.changes, pull=pull)


def _release(
    bumped: Bumped,
    apps: Sequence[VersionedApp],
    releases: Sequence[AppRelease],
    github: Hub,
    branch: str,
    context: Context,
) -> Bumped:
    """Commit and tag."""
    from stagegate.release.bump import apply

    shas, changes = apply.apply(
        releases,
        github,
        workspace=context.workspace,
        branch=branch,
        head=bumped.head,
        run_id=context.run_id,
    )
    made = {one.settings.app: sha for one, sha in zip(releases, shas, strict=True)}
    commits = tuple(made.get(app.settings.app, sha) for app, sha in zip(apps, bumped.commits, strict=True))
    head = next((change.after for change in changes if change.kind == "commit"), bumped.head)
    return msgspec.structs.replace(bumped, commits=commits, changes=changes, head=head)


def _protected(branch: str, stop: Stop) -> Stop:
    """Why neither a commit nor a pull request is possible; another trouble stays what it is."""
    if stop.reason != "missing-permission":
        return stop
    return Stop(
        "protected-branch",
        f"{branch} accepts changes only through pull requests, and no release pull request can be opened.",
        f"{stop.what} {stop.why}",
        "Give the job `pull-requests: write` and let GitHub Actions create pull requests (Settings, Actions), or "
        "give `token` of a GitHub App that is on the bypass list of the branch's rules.",
    )


def _reason(plans: Sequence[BumpPlan]) -> str:
    """The word of the whole run: that of the app with the most to tell."""
    words = [plan.reason for plan in plans]
    order = ("findings", "released", "already-released", "verified", "no-release-needed")
    return next((word for word in order if word in words), words[0])


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
