"""What version-bump did or would do, for people and for the next step."""

from __future__ import annotations

from stagegate.model import Calls, Message, Result, is_prerelease
from stagegate.release.bump.plan import BumpPlan
from stagegate.release.bump.run import Bumped
from stagegate.report.render import render
from stagegate.runner import log
from stagegate.settings import Settings


def result(settings: Settings, bumped: Bumped, *, dry: bool, calls: Calls) -> Result:
    """The result of a run that released a version, or only told what it would do."""
    plan, changes = bumped.plan, bumped.changes
    reason = "planned" if dry and plan.reason == "released" else plan.reason
    sha = plan.commit or bumped.commit
    for line in plan.warnings:
        log.say(f"warning: {line}")
    if plan.unread:
        log.say(f"no conventional title, so these count for nothing: {'; '.join(plan.unread[:20])}")
    return Result(
        reason=reason,
        message=_message(settings, plan, reason),
        outputs={
            "version": plan.version,
            "tag": plan.tag,
            "sha": sha,
            "previous": plan.previous,
            "prerelease": str(bool(plan.version) and is_prerelease(plan.version)).lower(),
            "changed": str(reason == "released").lower(),
            "notes": plan.notes,
        },
        summary=render(
            "version_bump.md.j2", app=settings.app, plan=plan, reason=reason, sha=sha, changes=changes
        ),
        app=settings.app,
        version=plan.version,
        dry_run=dry,
        changes=changes,
        findings=plan.findings,
        calls=calls,
    )


def _message(settings: Settings, plan: BumpPlan, reason: str) -> Message:
    return {
        "released": Message(what=f"{settings.app} {plan.version} is released as {plan.tag}."),
        "planned": Message(what=f"{settings.app} {plan.version} would be released as {plan.tag}."),
        "already-released": Message(what=f"{plan.version} is released already.", why=plan.detail),
        "no-release-needed": Message(what="No release is needed.", why=plan.detail),
        "verified": Message(what=f"All version files hold {plan.version}.", why=plan.detail),
        "findings": Message(
            what="The version files do not fit together.",
            why=" ".join(finding.message for finding in plan.findings),
            next="Correct the places named in the findings.",
        ),
    }[reason]
