"""version-bump: the next version from commits or input, moved in all version files, committed and tagged."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Literal

from stagegate import settings as settings_file
from stagegate.clients import git, hub
from stagegate.errors import Stop
from stagegate.model import Change, Message, Result, is_prerelease
from stagegate.release.bump import apply, facts, plan
from stagegate.report.render import render
from stagegate.runner import log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs

ATTEMPTS = 3


class VersionBump(Inputs, frozen=True, kw_only=True):
    """Inputs of version-bump."""

    bump: str = "auto"
    mode: Literal["commit", "plan", "verify"] = "commit"
    branch: str = ""


def main(inputs: VersionBump, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report; starts again from the facts when the branch moved."""
    settings = settings_file.load(context.inside(inputs.config, what="config"), inputs.config)
    github = hub.from_context(context, inputs.token)
    branch = inputs.branch or context.branch or github.default_branch()
    env = git.credentials(context.server_url, inputs.token)
    dry = inputs.dry_run or inputs.mode != "commit"
    for attempt in range(1, ATTEMPTS + 1):
        today = datetime.now(timezone.utc).date().isoformat()
        try:
            known = facts.read(
                settings, github, context.workspace, branch, run_id=context.run_id, today=today, env=env
            )
            if inputs.mode == "verify":
                decided = plan.verify(settings, known, "" if inputs.bump == "auto" else inputs.bump)
            else:
                decided = plan.plan(settings, known, inputs.bump)
            sha, changes = known.head, apply.intended(decided, branch, known.head)
            if decided.reason == "released" and not dry:
                sha, changes = apply.apply(
                    decided,
                    settings,
                    github,
                    workspace=context.workspace,
                    branch=branch,
                    head=known.head,
                    run_id=context.run_id,
                )
            return report(inputs, settings, decided, sha, changes, github)
        except Stop as stop:
            if stop.reason != "stale-base" or attempt == ATTEMPTS:
                raise
            log.say(f"{branch} moved meanwhile: reading it again")
    raise AssertionError("unreachable: the last attempt returns or raises")


def report(
    inputs: VersionBump,
    settings: settings_file.Settings,
    decided: plan.BumpPlan,
    sha: str,
    changes: tuple[Change, ...],
    github: hub.Hub,
) -> Result:
    """What happened, for people and for the next step."""
    dry = inputs.dry_run or inputs.mode != "commit"
    reason = "planned" if dry and decided.reason == "released" else decided.reason
    sha = decided.commit or sha
    sentences = {
        "released": Message(what=f"{settings.app} {decided.version} is released as {decided.tag}."),
        "planned": Message(what=f"{settings.app} {decided.version} would be released as {decided.tag}."),
        "already-released": Message(what=f"{decided.version} is released already.", why=decided.detail),
        "no-release-needed": Message(what="No release is needed.", why=decided.detail),
        "verified": Message(what=f"All version files hold {decided.version}.", why=decided.detail),
        "findings": Message(
            what="The version files do not fit together.",
            why=" ".join(finding.message for finding in decided.findings),
            next="Correct the places named in the findings.",
        ),
    }
    outputs = {
        "version": decided.version,
        "tag": decided.tag,
        "sha": sha,
        "previous": decided.previous,
        "prerelease": str(bool(decided.version) and is_prerelease(decided.version)).lower(),
        "changed": str(reason == "released").lower(),
        "notes": decided.notes,
    }
    summary = render(
        "version_bump.md.j2", app=settings.app, plan=decided, reason=reason, sha=sha, changes=changes
    )
    return Result(
        reason=reason,
        message=sentences[reason],
        outputs=outputs,
        summary=summary,
        app=settings.app,
        version=decided.version,
        dry_run=dry,
        changes=changes,
        findings=decided.findings,
        calls=github.calls,
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("version-bump", VersionBump, main)
