"""version-bump: the next version from commits or input, moved in all version files, committed and tagged."""

from __future__ import annotations

from stagegate import settings as settings_file
from stagegate.clients import hub
from stagegate.model import Calls, Result
from stagegate.release.bump import report
from stagegate.release.bump import run as bumping
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs


class VersionBump(Inputs, frozen=True, kw_only=True):
    """Inputs of version-bump."""

    bump: str = "auto"
    mode: bumping.Mode = "commit"
    branch: str = ""


def main(inputs: VersionBump, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report; the middle three again when the branch moved meanwhile."""
    settings = settings_file.load(context.inside(inputs.config, what="config"), inputs.config)
    request = requested(inputs)
    # `plan` and `verify` work from the clone alone where there is no token to ask GitHub with.
    alone = request.only_tells and not (inputs.token and context.repository)
    github = None if alone else hub.from_context(context, inputs.token)
    bumped = bumping.bump(request, settings, context, github)
    calls = github.calls if github else Calls()
    return report.result(settings, bumped, dry=request.only_tells, calls=calls)


def requested(inputs: VersionBump) -> bumping.BumpRequest:
    """The inputs as a request."""
    return bumping.BumpRequest(
        bump=inputs.bump,
        mode=inputs.mode,
        branch=inputs.branch,
        config=inputs.config,
        token=inputs.token,
        dry_run=inputs.dry_run,
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("version-bump", VersionBump, main)
