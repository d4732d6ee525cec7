"""helm-publish: the chart of a release, checked, packed with the release record, pushed once and read back."""

from __future__ import annotations

from stagegate import settings as settings_file
from stagegate.chart.publish import apply, facts, plan, recording, telling
from stagegate.chart.publish.facts import Build
from stagegate.clients import checkout, hub
from stagegate.clients.registry import Registry, credentials
from stagegate.evidence import releases
from stagegate.model import Change, Result, parse_version
from stagegate.release import version_files
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
    registry_username: str = ""
    registry_password: str = ""


def main(inputs: HelmPublish, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report."""
    settings = settings_file.load(context.inside(inputs.config, what="config"), inputs.config)
    login = credentials.given(inputs.registry_username, inputs.registry_password)
    own = settings.own_chart
    store = Registry(
        settings.registry_hosts,
        username=inputs.registry_username,
        password=inputs.registry_password,
        writes=frozenset({settings.chart_reference.removeprefix("oci://")} if own else ()),
    )
    build = build_of(inputs, settings, context)
    facts.prove_images(build.images, store)
    if own is None:
        return without_chart(inputs, settings, build, hub.from_context(context, inputs.token), context)
    logins = dict.fromkeys(settings.registry_hosts, login) if login else {}
    known, packed = facts.read(settings, own, build, store, logins)
    decided = plan.plan(known)
    changes: tuple[Change, ...] = ()
    if decided.reason == "published" and packed is not None:
        changes = apply.intended(known, done=False) if inputs.dry_run else apply.push(known, packed, store)
    return telling.result(known, decided, changes, dry_run=inputs.dry_run)


def without_chart(
    inputs: HelmPublish, settings: Settings, build: Build, github: hub.Hub, context: Context
) -> Result:
    """The same steps where the record is a deployment."""
    known = recording.read(settings.app, build, github)
    decided = plan.plan(known.facts)
    changes: tuple[Change, ...] = ()
    if not inputs.dry_run and (decided.reason == "published" or (known.id and not known.finished)):
        changes = recording.record(known, build, github, context.run_url)
    return telling.result(known.facts, decided, changes, dry_run=inputs.dry_run, calls=github.calls)


def build_of(inputs: HelmPublish, settings: Settings, context: Context) -> Build:
    """What this run publishes: version files must agree, and the commit is the one that is checked out."""
    places = settings.version.places
    paths = {place.file: context.inside(place.file, what="version.files") for place in places}
    held = version_files.read_all(
        places, {file: path.read_bytes() if path.is_file() else None for file, path in paths.items()}
    )
    version = inputs.version or (held[0].version if held else "")
    parse_version(version, source="version" if inputs.version or not held else held[0].place.file)
    return Build(
        version=version,
        commit=checkout.released_commit(inputs.commit, context),
        images=releases.digests(inputs.digests, settings),
        workspace=context.workspace,
        repository=context.repository,
        strict=inputs.strict,
        findings=version_files.disagreements(held, version),
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("helm-publish", HelmPublish, main)
