"""version-bump: the next versions from labels, commits or input, moved in the version files and tagged."""

from stagegate.model import Calls, Result
from stagegate.promotion import apps as settings_files
from stagegate.release.bump import report
from stagegate.release.bump import run as bumping
from stagegate.release.bump.request import BumpRequest, Mode
from stagegate.release.bump.versioned_app import VersionedApp
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs


class VersionBump(Inputs, frozen=True, kw_only=True):
    """Inputs of version-bump."""

    bump: str = "auto"
    mode: Mode = "auto"
    branch: str = ""
    skip_staging: str = ""
    registry_username: str = ""
    registry_password: str = ""


def main(inputs: VersionBump, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report; the middle three again when the branch moved meanwhile."""
    apps = [
        VersionedApp(settings=app.settings, config=app.config)
        for app in settings_files.here(context, inputs.config)
    ]
    request = requested(inputs)
    calls = Calls()
    # `plan` and `verify` work from the clone alone where there is no token to ask GitHub with.
    if request.writes_nothing and not (inputs.token and context.repository):
        bumped = bumping.bump(request, apps, context, None)
    else:
        from stagegate.clients import hub  # HTTP is loaded only by those who ask somebody
        from stagegate.clients.registry import Registry

        github = hub.from_context(context, inputs.token)
        hosts = frozenset(host for app in apps for host in app.settings.registry_hosts)
        registry = Registry(hosts, username=inputs.registry_username, password=inputs.registry_password)
        bumped = bumping.bump(request, apps, context, github, registry)
        calls = github.calls
    return report.result(apps, bumped, request, calls=calls, summary=bool(context.summary_file))


def requested(inputs: VersionBump) -> BumpRequest:
    """The inputs as a request."""
    return BumpRequest(
        bump=inputs.bump,
        mode=inputs.mode,
        branch=inputs.branch,
        token=inputs.token,
        dry_run=inputs.dry_run,
        skip_staging=" ".join(inputs.skip_staging.split()),
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("version-bump", VersionBump, main)
