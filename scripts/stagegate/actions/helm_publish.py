"""helm-publish: the chart of a release, checked, packed with the release record and pushed once."""

from __future__ import annotations

from stagegate.chart.publish import apply, facts, plan, recording, report
from stagegate.clients import checkout, hub, job_permissions
from stagegate.clients.registry import Registry, credentials, pushed
from stagegate.evidence import milestones, releases
from stagegate.model import Result, parse_version
from stagegate.promotion import apps
from stagegate.release import version_files, work_tree
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.settings import Settings


class HelmPublish(Inputs, frozen=True, kw_only=True):
    """Inputs of helm-publish."""

    version: str = ""
    digests: str = ""
    commit: str = ""
    strict: bool = False
    app_id: str = ""
    app_key: str = ""
    registry_username: str = ""
    registry_password: str = ""


def main(inputs: HelmPublish, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report."""
    inputs, settings = apps.load_one(inputs, context)
    user, password = inputs.registry_username, inputs.registry_password
    own = settings.own_chart
    writes = frozenset({settings.chart_reference.removeprefix("oci://")} if own else ())
    store = Registry(settings.registry_hosts, username=user, password=password, writes=writes)
    build = build_of(inputs, settings, context)
    pushed.demand(build.images, store)
    if own is None:
        return without_chart(inputs, settings, build, context)
    logins = credentials.for_hosts(settings.registry_hosts, user, password)
    known, packed = facts.read(settings, own, build, store, logins, dry_run=inputs.dry_run)
    decided = plan.plan(known)
    changes = apply.apply(decided, known, packed, store, dry_run=inputs.dry_run)
    if inputs.token and not inputs.dry_run and not decided.errors:
        github = hub.from_context(context, inputs.token)
        milestones.record(github, build.commit, settings.app, build.version, "published", context.run_url)
    return report.result(known, decided, changes, dry_run=inputs.dry_run)


def without_chart(inputs: HelmPublish, settings: Settings, build: facts.Build, context: Context) -> Result:
    """The same calls where the release record is a deployment, which the App writes where one is given."""
    github = hub.as_app(context, inputs.token, inputs.app_id, inputs.app_key, job_permissions.VERDICT)
    known = recording.read(settings, build, github)
    decided = plan.plan(known.facts)
    changes = () if inputs.dry_run else recording.record(decided, known, build, github, context.run_url)
    return report.result(known.facts, decided, changes, dry_run=inputs.dry_run, calls=github.calls)


def build_of(inputs: HelmPublish, settings: Settings, context: Context) -> facts.Build:
    """What this run publishes: version files must agree, and the commit is the one that is checked out."""
    versions = work_tree.file_versions(settings, context)
    version = inputs.version or (versions[0].version if versions else "")
    parse_version(version, source="version" if inputs.version or not versions else versions[0].place.file)
    return facts.Build(
        version=version,
        commit=checkout.released_commit(inputs.commit, context),
        images=releases.digests(inputs.digests, settings),
        workspace=context.workspace,
        repository=context.repository,
        strict=inputs.strict,
        findings=version_files.disagreements(versions, version),
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("helm-publish", HelmPublish, main)
