"""version-bump: the next version from commits or input, moved in all version files, committed and tagged."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Literal

from stagegate import settings as settings_file
from stagegate.clients import git, hub
from stagegate.errors import Stop
from stagegate.model import Calls, Change, Result
from stagegate.release.bump import apply, describe, facts, plan
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
    github = connection(inputs, context)
    for attempt in range(1, ATTEMPTS + 1):
        known = read(inputs, context, settings, github)
        decided = decide(inputs, settings, known)
        try:
            sha, changes = write(inputs, context, settings, github, known, decided)
        except Stop as stop:
            if stop.reason not in ("stale-base", "tag-taken") or attempt == ATTEMPTS:
                raise
            log.say(f"{known.branch} or the tag {decided.tag} moved meanwhile: reading them again")
            continue
        return describe.result(
            settings, decided, sha, changes, dry=dry(inputs), calls=github.calls if github else Calls()
        )
    raise AssertionError("unreachable: the last attempt returns or raises")


def connection(inputs: VersionBump, context: Context) -> hub.Hub | None:
    """GitHub, or None where the local clone is enough: `plan` and `verify` without a token."""
    if dry(inputs) and not (inputs.token and context.repository):
        return None
    return hub.from_context(context, inputs.token)


def read(
    inputs: VersionBump, context: Context, settings: settings_file.Settings, github: hub.Hub | None
) -> plan.Facts:
    """The facts at the newest commit of the branch."""
    return facts.read(
        settings,
        github,
        context.workspace,
        inputs.branch
        or context.branch
        or (github.default_branch() if github else git.branch(context.workspace)),
        config=inputs.config,
        run_id=context.run_id,
        today=datetime.now(timezone.utc).date().isoformat(),
        env=git.credentials(context.server_url, inputs.token),
    )


def decide(inputs: VersionBump, settings: settings_file.Settings, known: plan.Facts) -> plan.BumpPlan:
    """The next version, or in the mode `verify` whether the files hold the expected one."""
    if inputs.mode == "verify":
        return plan.verify(settings, known, "" if inputs.bump == "auto" else inputs.bump)
    return plan.plan(settings, known, inputs.bump)


def write(
    inputs: VersionBump,
    context: Context,
    settings: settings_file.Settings,
    github: hub.Hub | None,
    known: plan.Facts,
    decided: plan.BumpPlan,
) -> tuple[str, tuple[Change, ...]]:
    """Commit and tag, or the changes that a dry run would make."""
    if decided.reason != "released" or dry(inputs) or github is None:
        return known.head, apply.intended(decided, known.branch, known.head)
    return apply.apply(
        decided,
        settings,
        github,
        workspace=context.workspace,
        branch=known.branch,
        head=known.head,
        run_id=context.run_id,
    )


def dry(inputs: VersionBump) -> bool:
    """Whether this run only tells what it would do."""
    return inputs.dry_run or inputs.mode != "commit"


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("version-bump", VersionBump, main)
