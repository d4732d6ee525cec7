"""publish-release: draft, assets, then publish the GitHub release of a tag whose gates have passed."""

from __future__ import annotations

import semver

from stagegate import settings as settings_file
from stagegate.clients.connections import open_connections
from stagegate.errors import Stop
from stagegate.model import Calls, Change, Message, Result
from stagegate.promotion import app_state
from stagegate.release.publication import apply, facts, plan
from stagegate.report import markdown
from stagegate.report.render import render
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs, PinsInputs


class PublishRelease(Inputs, frozen=True, kw_only=True):
    """Inputs of publish-release."""

    pins_token: str = ""
    version: str = ""
    environment: str = ""
    chart: str = ""
    notes: str = ""
    registry_username: str = ""
    registry_password: str = ""


def main(inputs: PublishRelease, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report. The default branch says which gates must have passed."""
    here = settings_file.load(context.inside(inputs.config, what="config"), inputs.config)
    connections = open_connections(here, context, speaking(inputs))
    settings = app_state.read(connections, here).settings
    github = connections.app
    known = facts.read(
        settings,
        github,
        connections.limited(settings).registry,
        version=inputs.version or of_tag(context.ref, settings.version.tag_prefix),
        environment=inputs.environment,
        chart=package(inputs.chart, context),
        notes=inputs.notes,
    )
    decided = plan.plan(known)
    url = known.existing.url if known.existing else ""
    changes = apply.intended(decided, known)
    if changes and not inputs.dry_run:
        url, changes = apply.apply(decided, known, github, body(known))
    return report(inputs, settings, known, decided, url, changes, connections.calls)


def speaking(inputs: PublishRelease) -> PinsInputs:
    """The inputs that say with whose tokens repositories and registries are spoken to."""
    return PinsInputs(
        config=inputs.config,
        token=inputs.token,
        pins_token=inputs.pins_token,
        registry_username=inputs.registry_username,
        registry_password=inputs.registry_password,
    )


def of_tag(ref: str, prefix: str) -> str:
    """The version when the run is on a tag, else nothing."""
    start = f"refs/tags/{prefix}"
    version = ref.removeprefix(start) if ref.startswith(start) else ""
    return version if semver.Version.is_valid(version) else ""


def package(path: str, context: Context) -> bytes | None:
    """The chart's package if one is given. Stop(missing-file)."""
    if not path:
        return None
    try:
        return context.inside(path, what="chart").read_bytes()
    except OSError as error:
        raise Stop(
            "missing-file",
            f"There is no chart package {path}.",
            f"{error.strerror}.",
            "Name the .tgz that helm-publish made, or leave `chart` empty to fetch the tested one.",
        ) from error


def body(known: plan.Facts) -> str:
    """The release's text: notes, then what it is made of and who says that it works."""
    tested = next((seen.evidence for seen in known.seen if seen.required), None)
    text = render("release_body.md.j2", facts=known, tested=tested)
    return markdown.shorten(text, 120_000, "The notes are longer than a release may be; see the changelog.")


def report(
    inputs: PublishRelease,
    settings: settings_file.Settings,
    known: plan.Facts,
    decided: plan.Publication,
    url: str,
    changes: tuple[Change, ...],
    calls: Calls,
) -> Result:
    """What happened, for people and for the next step."""
    reason = "planned" if inputs.dry_run and changes else decided.reason
    name = f"{known.app} {known.version}"
    sentences = {
        "published": Message(what=f"{name} is published as a GitHub release.", why=url),
        "planned": Message(what=f"{name} would be published as a GitHub release."),
        "already-published": Message(what=f"{name} is published already.", why=url),
    }
    summary = render(
        "publish_release.md.j2", facts=known, plan=decided, reason=reason, url=url, changes=changes
    )
    return Result(
        reason=reason,
        message=sentences[reason],
        outputs={"release-url": url, "version": known.version, "tag": known.tag},
        summary=summary,
        app=known.app,
        version=known.version,
        dry_run=inputs.dry_run,
        trust=settings.trust.level,
        changes=changes,
        calls=calls,
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("publish-release", PublishRelease, main)
