"""Reports the result of version-bump."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate.model import Calls, Message, Result, is_prerelease
from stagegate.release.bump.carry_out import BumpOutcome
from stagegate.release.bump.plan_facts import BumpPlan
from stagegate.release.bump.request import BumpRequest
from stagegate.release.bump.together import matrix
from stagegate.release.bump.versioned_app import VersionedApp
from stagegate.runner import log


def result(
    apps: Sequence[VersionedApp], outcome: BumpOutcome, request: BumpRequest, *, calls: Calls, summary: bool
) -> Result:
    """The result of a run: message, outputs, summary.

    The outputs of a single app are empty in a run for several apps; `matrix` has them for each. `summary` is false
    when nothing shows the summary.
    """
    dry = request.writes_nothing
    reason = "planned" if dry and outcome.reason == "released" else outcome.reason
    for plan in outcome.plans:
        _log(plan)
    only = outcome.plans[0] if len(apps) == 1 else None
    pairs = [(app.settings, plan) for app, plan in zip(apps, outcome.plans, strict=True)]
    # A dry run lists the apps that would be released. A proposed pull request has released nothing.
    moves = reason in ("released", "planned")
    entries = [
        {**entry, "commit": commit, "changed": entry["changed"] and moves}
        for entry, commit in zip(matrix(pairs), outcome.commits, strict=True)
    ]
    version = only.version if only else ""
    number, url = outcome.pull
    return Result(
        reason=reason,
        message=_message(apps, outcome, reason),
        outputs={
            "version": version,
            "tag": only.tag if only else "",
            "sha": outcome.commits[0] if only else outcome.head,
            "previous": only.previous if only else "",
            "prerelease": str(bool(version) and is_prerelease(version)).lower(),
            "changed": str(reason == "released").lower(),
            "notes": only.notes if only else "",
            "matrix": msgspec.json.format(msgspec.json.encode(entries), indent=0).decode(),
            "pr-number": str(number or ""),
            "pr-url": url,
            "skip-staging": request.skip_staging if reason == "released" else "",
        },
        summary=_summary(apps, outcome, reason) if summary else "",
        app=apps[0].settings.app if only else "",
        version=version,
        dry_run=dry,
        changes=outcome.changes,
        findings=tuple(finding for plan in outcome.plans for finding in plan.findings),
        calls=calls,
    )


def _log(plan: BumpPlan) -> None:
    for line in plan.warnings:
        log.say(f"warning: {line}")
    if plan.unread:
        log.say(
            "version-bump ignores these commits, because they have no conventional title: "
            f"{'; '.join(plan.unread[:20])}"
        )


def _summary(apps: Sequence[VersionedApp], outcome: BumpOutcome, reason: str) -> str:
    from stagegate.report.render import render  # loaded only for a summary

    sections = [
        render(
            "version_bump.md.j2",
            several=len(apps) > 1,
            app=app.settings.app,
            plan=plan,
            reason="planned" if reason == "planned" and plan.reason == "released" else plan.reason,
            sha=sha,
            pull=outcome.pull if plan.reason == "released" != outcome.reason else (0, ""),
            changes=outcome.changes,
        )
        for app, plan, sha in zip(apps, outcome.plans, outcome.commits, strict=True)
    ]
    return "\n".join(sections)


def _message(apps: Sequence[VersionedApp], outcome: BumpOutcome, reason: str) -> Message:
    """The message of the run: about its only app, or about all apps with a new version."""
    pairs = list(zip(apps, outcome.plans, strict=True))
    shown = [(app, plan) for app, plan in pairs if plan.reason == "released"] or pairs
    versions = ", ".join(f"{app.settings.app} {plan.version}" for app, plan in shown)
    names = ", ".join(plan.tag for _, plan in shown)
    detail = " ".join(dict.fromkeys(plan.detail for plan in outcome.plans if plan.reason == outcome.reason))
    verb = "is" if len(shown) == 1 else "are"
    number, url = outcome.pull
    return {
        "released": Message(what=f"{versions} {verb} released as {names}."),
        "planned": Message(what=f"{versions} would be released as {names}."),
        "proposed": Message(what=f"Pull request #{number} releases {versions} when it is merged.", why=url),
        "updated": Message(
            what=f"Pull request #{number} now releases {versions} when it is merged.", why=url
        ),
        "already-proposed": Message(
            what=f"Pull request #{number} releases {versions} when it is merged.",
            why=f"The pull request is up to date. {url}",
        ),
        "already-released": Message(what=f"{versions} {verb} already released.", why=detail),
        "no-release-needed": Message(what="No release is needed.", why=detail),
        "verified": Message(what=f"All version files contain {versions}.", why=detail),
        "findings": Message(
            what="The version files contradict each other.",
            why=" ".join(finding.message for plan in outcome.plans for finding in plan.findings),
            next="Correct the places that the findings name.",
        ),
    }[reason]
