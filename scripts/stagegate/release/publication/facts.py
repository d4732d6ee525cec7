"""Reads the facts for publish-release: the tag, the verdicts of gates, the tested chart, and existing releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stagegate.clients import hub
from stagegate.clients.registry import Registry, parse
from stagegate.errors import Stop
from stagegate.evidence import accepted, history
from stagegate.evidence import records as evidence
from stagegate.evidence.records import Record
from stagegate.model import Actor, Evidence, parse_version
from stagegate.release import changelog
from stagegate.release.image_tags.plan import fixed_tags
from stagegate.release.publication import assets
from stagegate.release.publication.plan_facts import EnvironmentEvidence, ReleaseFacts, ReleaseFile
from stagegate.runner.context import Context
from stagegate.settings import Settings
from stagegate.versions import Version


def read(
    settings: Settings,
    github: hub.Hub,
    registry: Registry,
    *,
    version: str,
    environment: str,
    chart: bytes | None,
    notes: str,
    files: Sequence[ReleaseFile] = (),
) -> ReleaseFacts:
    """The facts about one version; if `version` is empty, the newest one that passed in the last environment.

    `environment` is the environment with the required gate (empty: every environment that no other names in
    `after`). `chart` is the package if the caller has it; otherwise the tested package is fetched by its digest.
    `notes` replaces the changelog, `files` are more files for the release. Stop(missing-file|no-evidence|
    unknown-state|bad-settings).
    """
    required = [settings.environment(environment).name] if environment else _last(settings)
    trusted = accepted.accepted(settings, github)
    version = version or _newest_passed(settings, github, required[0], trusted)
    parse_version(version, source="version")
    tag = github.tag(settings.version.tag_prefix + version)
    if tag is None:
        raise _no_tag(settings.version.tag_prefix + version)
    environments = _environments(settings, github, tag.target_commit, version, required, trusted)
    listed = github.releases()
    release_files = (
        *assets.chart(settings, registry, environments, version, chart),
        *assets.documents(environments),
        *files,
    )
    images = _images(environments)
    prefix = settings.version.tag_prefix
    return ReleaseFacts(
        app=settings.app,
        version=version,
        tag=tag.name,
        commit=tag.target_commit,
        notes=notes or _notes(settings, github, tag, version),
        environments=environments,
        assets=release_files,
        existing=assets.existing(github, listed, tag.name, release_files),
        images=images,
        tagged=_tagged(settings, registry, images, version, tag.target_commit),
        published=tuple(
            r.tag.removeprefix(prefix)
            for r in listed
            if not r.draft and r.tag.startswith(prefix) and Version.is_valid(r.tag.removeprefix(prefix))
        ),
    )


def _images(environments: Sequence[EnvironmentEvidence]) -> dict[str, str]:
    """The app's own images that the required gates tested, with their digests."""
    passed = (e.evidence for e in environments if e.required and e.passed)
    return {
        image.reference: image.digest
        for evidence in passed
        if evidence
        for image in evidence.images
        if image.first_party
    }


def _tagged(
    settings: Settings, registry: Registry, images: Mapping[str, str], version: str, commit: str
) -> dict[str, dict[str, str]]:
    """The digests that the tags of the release name, for images in the registries of the settings."""
    own_images = [image for image in images if parse(image).host in settings.registry_hosts]
    return {
        image: {
            tag: registry.digest(f"{image}:{tag}") or ""
            for tag in fixed_tags(settings.image_tags(version), commit, images[image])
        }
        for image in own_images
    }


def _last(settings: Settings) -> list[str]:
    names = [environment.name for environment in settings.last_environments]
    if not names:
        raise Stop(
            "bad-settings",
            "The settings name no environment.",
            "publish-release publishes a release after the gate of the last environment.",
            "Declare environments, or use the settings of the pins repository.",
        )
    return names


def _newest_passed(settings: Settings, github: hub.Hub, environment: str, trusted: Sequence[Actor]) -> str:
    newest = history.records(github, settings.app, environment, trusted, _passed)
    _demand_readable(newest, settings.app, environment)
    version = _passed(newest)
    if not version:
        raise Stop(
            "no-evidence",
            f"No release of {settings.app} has passed in {environment}.",
            "Without the input `version`, the newest release that passed there is published.",
            "Run staging-gate for this environment first, or set the input `version`.",
        )
    return version


def _passed(records: Sequence[Record]) -> str:
    """The version of the newest record of a passed gate."""
    verdicts = (record.evidence for record in evidence.deciding(records))
    return next((e.version for e in verdicts if e and e.outcome == "passed"), "")


def _demand_readable(records: Sequence[Record], app: str, environment: str) -> None:
    """Stop(unknown-state) when the newest deciding record cannot be read: its verdict is unknown (I2)."""
    deciding = evidence.deciding(records)
    if deciding and deciding[0].evidence is None:
        raise Stop(
            "unknown-state",
            f"The newest record of {app} in {environment} cannot be read.",
            f"The payload of deployment {deciding[0].id} is not evidence that this version of stagegate can read.",
            "Use the version of stagegate that wrote the record, or run the gate again.",
        )


def _environments(
    settings: Settings,
    github: hub.Hub,
    commit: str,
    version: str,
    required: Sequence[str],
    trusted: Sequence[Actor],
) -> tuple[EnvironmentEvidence, ...]:
    """The status and record of every environment. Required environments are included without a status too."""
    statuses = github.statuses(commit)
    environments = []
    for name in dict.fromkeys([*required, *(e.name for e in settings.environments)]):
        context = evidence.context(settings.app, name)
        written = [s for s in statuses if s.context == context]
        accepted_statuses = (s for s in written if evidence.is_accepted(s.creator, trusted))
        status = next(accepted_statuses, next(iter(written), None))
        environments.append(
            EnvironmentEvidence(
                name=name,
                required=name in required,
                state=status.state if status else "",
                creator=status.creator.login if status and status.creator else "",
                trusted=bool(status and evidence.is_accepted(status.creator, trusted)),
                evidence=_newest(settings.app, github, name, commit, version, trusted),
            )
        )
    return tuple(environments)


def _newest(
    app: str, github: hub.Hub, environment: str, commit: str, version: str, trusted: Sequence[Actor]
) -> Evidence | None:
    """The evidence in the newest deciding record of a version in an environment."""

    def judged(records: Sequence[Record]) -> tuple[Record, ...]:
        return evidence.about(records, version)

    newest = history.records(github, app, environment, trusted, judged, sha=commit)
    _demand_readable(newest, app, environment)
    return next((record.evidence for record in judged(newest) if record.evidence), None)


def _notes(settings: Settings, github: hub.Hub, tag: hub.Tag, version: str) -> str:
    """The changelog's section at the tag, else the message of the tag without its first line."""
    path = settings.version.changelog
    blob = github.files(tag.target_commit, [path])[path] if path else None
    section = changelog.section(blob.content.decode("utf-8", "replace"), version) if blob else ""
    return section or tag.message.partition("\n")[2].strip()


def _no_tag(tag: str) -> Stop:
    return Stop(
        "missing-file",
        f"The tag {tag} does not exist.",
        "publish-release publishes only existing tags and never creates a tag.",
        "Run version-bump first, or correct the input `version`.",
    )


def of_tag(ref: str, prefix: str) -> str:
    """The version when the run is on a tag (`refs/tags/v1.2.3` -> `1.2.3`), else nothing."""
    start = f"refs/tags/{prefix}"
    version = ref.removeprefix(start) if ref.startswith(start) else ""
    return version if Version.is_valid(version) else ""


def package(path: str, context: Context) -> bytes | None:
    """The chart package at a path; None without a path. Stop(missing-file)."""
    if not path:
        return None
    try:
        return context.inside(path, what="chart").read_bytes()
    except OSError as error:
        raise Stop(
            "missing-file",
            f"The chart package {path} does not exist.",
            f"{error.strerror}.",
            "Set `chart` to the .tgz file that helm-publish made, or leave `chart` empty to fetch "
            "the tested package.",
        ) from error
