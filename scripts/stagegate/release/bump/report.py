"""What version-bump did or would do, for people and for the next step."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate.model import Calls, Message, Result, is_prerelease
from stagegate.release.bump.carry_out import Bumped
from stagegate.release.bump.plan_facts import BumpPlan
from stagegate.release.bump.request import BumpRequest
from stagegate.release.bump.together import matrix
from stagegate.release.bump.versioned_app import VersionedApp
from stagegate.runner import log


def result(
    apps: Sequence[VersionedApp], bumped: Bumped, request: BumpRequest, *, calls: Calls, summary: bool
) -> Result:
    """The result of a run that released versions, or only told what it would do.

    The outputs of one app are empty where a run decides for several; `matrix` has them. `summary`: it has a reader.
    """
    dry = request.only_tells
    reason = "planned" if dry and bumped.reason == "released" else bumped.reason
    for plan in bumped.plans:
        _log(plan)
    only = bumped.plans[0] if len(apps) == 1 else None
    pairs = [(app.settings, plan) for app, plan in zip(apps, bumped.plans, strict=True)]
    # In a plan these are the apps that would be released; a pull request releases nothing yet.
    moves = reason in ("released", "planned")
    entries = [
        {**entry, "commit": commit, "changed": entry["changed"] and moves}
        for entry, commit in zip(matrix(pairs), bumped.commits, strict=True)
    ]
    version = only.version if only else ""
    number, url = bumped.pull
    return Result(
        reason=reason,
        message=_message(apps, bumped, reason),
        outputs={
            "version": version,
            "tag": only.tag if only else "",
            "sha": bumped.commits[0] if only else bumped.head,
            "previous": only.previous if only else "",
            "prerelease": str(bool(version) and is_prerelease(version)).lower(),
            "changed": str(reason == "released").lower(),
            "notes": only.notes if only else "",
            "matrix": msgspec.json.format(msgspec.json.encode(entries), indent=0).decode(),
            "pr-number": str(number or ""),
            "pr-url": url,
            "skip-staging": request.skip_staging if reason == "released" else "",
        },
        summary=_summary(apps, bumped, reason) if summary else "",
        app=apps[0].settings.app if only else "",
        version=version,
        dry_run=dry,
        changes=bumped.changes,
        findings=tuple(finding for plan in bumped.plans for finding in plan.findings),
        calls=calls,
    )


def _log(plan: BumpPlan) -> None:
    for line in plan.warnings:
        log.say(f"warning: {line}")
    if plan.unread:
        log.say(f"no conventional title, so these count for nothing: {'; '.join(plan.unread[:20])}")


def _summary(apps: Sequence[VersionedApp], bumped: Bumped, reason: str) -> str:
    from stagegate.report.render import render  # only where somebody reads it

    parts = [
        render(
            "version_bump.md.j2",
            several=len(apps) > 1,
            app=app.settings.app,
            plan=plan,
            reason="planned" if reason == "planned" and plan.reason == "released" else plan.reason,
            sha=sha,
            pull=bumped.pull if plan.reason == "released" else (0, ""),
            changes=bumped.changes,
        )
        for app, plan, sha in zip(apps, bumped.plans, bumped.commits, strict=True)
    ]
    return "\n".join(parts)


def _message(apps: Sequence[VersionedApp], bumped: Bumped, reason: str) -> Message:
    """The words of the run: of its only app, or the versions of all that move."""
    pairs = list(zip(apps, bumped.plans, strict=True))
    moving = [(app, plan) for app, plan in pairs if plan.reason == "released"] or pairs
    versions = ", ".join(f"{app.settings.app} {plan.version}" for app, plan in moving)
    names = ", ".join(plan.tag for _, plan in moving)
    detail = " ".join(dict.fromkeys(plan.detail for plan in bumped.plans if plan.reason == bumped.reason))
    verb = "is" if len(moving) == 1 else "are"
    number, url = bumped.pull
    return {
        "released": Message(what=f"{versions} {verb} released as {names}."),
        "planned": Message(what=f"{versions} would be released as {names}."),
        "proposed": Message(what=f"Pull request #{number} releases {versions} when it is merged.", why=url),
        "updated": Message(
            what=f"Pull request #{number} now releases {versions} when it is merged.", why=url
        ),
        "already-proposed": Message(
            what=f"Pull request #{number} releases {versions} when it is merged.",
            why=f"Nothing has changed since. {url}",
        ),
        "already-released": Message(what=f"{versions} {verb} released already.", why=detail),
        "no-release-needed": Message(what="No release is needed.", why=detail),
        "verified": Message(what=f"All version files hold {versions}.", why=detail),
        "findings": Message(
            what="The version files do not fit together.",
            why=" ".join(finding.message for plan in bumped.plans for finding in plan.findings),
            next="Correct the places named in the findings.",
        ),
    }[reason]
