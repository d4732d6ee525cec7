"""The artifacts of a release, read from its record.

The record stands in the published chart's annotations, so that one chart digest fixes the whole release;
without a chart of our own it is a deployment with the same fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from stagegate import settings as settings_file
from stagegate.clients import registry
from stagegate.clients.hub import Hub, Tag
from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.evidence import reviewed_branches
from stagegate.evidence.accepted import accepted
from stagegate.evidence.records import is_accepted
from stagegate.evidence.release_record import ForeignRecord, Record, broken, from_annotations
from stagegate.model import DIGEST, IMAGE_TAG, Chart, Digest, Image, Release, parse_version
from stagegate.settings import Settings, Versioning

ENVIRONMENT = "release"


def task(app: str) -> str:
    """The deployment task under which a release without a chart is recorded."""
    return f"stagegate:{app}:release"


def digests(text: str, settings: Settings) -> dict[str, str]:
    """The build's `digests` output, image repository -> pushed digest. Stop(bad-input).

    Its keys are exactly the settings' `images`: nothing is forgotten, nothing is smuggled in. A build of several
    apps has such an object (or its JSON text) for each app, under the app's name.
    """
    try:
        by_image = msgspec.json.decode(_of_app(text or "{}", settings.app), type=dict[str, Digest])
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Stop(
            "bad-input",
            "The input `digests` cannot be read.",
            f"{error}.",
            'Pass a JSON object such as {"ghcr.io/acme/shop": "sha256:..."}.',
        ) from error
    if by_image.keys() != set(settings.images):
        raise Stop(
            "bad-input",
            "The input `digests` does not match `images` in the settings.",
            f"The input names {', '.join(by_image) or 'none'}, but the settings name "
            f"{', '.join(settings.images) or 'none'}.",
            "Name every image of the release once, by its repository without a tag.",
        )
    return by_image


def _of_app(text: str, app: str) -> str | bytes:
    """The digests of one app, as JSON, from those of all."""
    every = msgspec.json.decode(text)
    own = every.get(app) if isinstance(every, dict) else None
    if own is None:
        return text
    return own if isinstance(own, str) else msgspec.json.encode(own)


def whole(policy: Settings, app: Hub, own: Settings | None = None) -> Settings:
    """The settings of a pins repository, with version and chart as the app repository has them.

    `own` are the app's settings where they are known; else its default branch is read. What the policy says itself
    stays. Stop(wrong-source) when the app names a registry that the policy does not: nobody logs in there.
    """
    if own is None:
        file = policy.source_file
        blob = app.files(app.default_head(), [file])[file]
        own = settings_file.parse(blob.content, f"{app.repository}: {file}") if blob else policy
    joined = msgspec.structs.replace(
        policy,
        version=own.version if policy.version == Versioning() else policy.version,
        chart=own.chart if policy.chart == "none" else policy.chart,
        images=policy.images or own.images,
        image_tag=own.image_tag if policy.image_tag == IMAGE_TAG else policy.image_tag,
    )
    if foreign := sorted(joined.registry_hosts - policy.registry_hosts):
        raise Stop(
            "wrong-source",
            f"The app in {app.repository} publishes to {', '.join(foreign)}, which the policy does not name.",
            "stagegate contacts only hosts in the policy's `images` and `chart`, because "
            "credentials may be sent to them.",
            "Add the images, and the chart if its registry is a different one, to the settings of "
            "the pins repository.",
        )
    return joined


def reviewed(settings: Settings, version: str, hub: Hub, store: Registry) -> Release:
    """The release of that version, as `find` has it, made from a reviewed branch.

    Stop(not-authorised) when the tag's commit is neither on the default branch nor on one of `release-branches`:
    its tests, chart and images come from a commit that nobody had to review.
    """
    release = find(settings, version, hub, store)
    reviewed_branches.demand(settings, release, hub)
    return release


def find(settings: Settings, version: str, hub: Hub, store: Registry) -> Release:
    """The release of that version, every artifact by digest.

    `hub` is the app repository. Stop(bad-input) without its tag, Stop(missing-file) without its chart,
    Stop(content-differs) when tag and record name different commits, Stop(unknown-state) when unreadable.
    """
    tag = _tag(settings, version, hub)
    chart, record = _chart(settings, version, store) if settings.own_chart else (None, None)
    foreign = None
    if record is None:
        _, foreign, _ = deployed(settings, version, hub, tag.target_commit)
        if foreign is not None:
            record = Record(commit=foreign.commit, images=foreign.images)
    if record and record.commit != tag.target_commit:
        raise Stop(
            "content-differs",
            f"{settings.app} {version} was published with different content.",
            f"The tag {tag.name} is commit {tag.target_commit[:12]}, but the release record names "
            f"commit {record.commit[:12]}.",
            "Release a new version: the tag was moved, or the version was published from another commit.",
        )
    if foreign and chart and foreign.chart != chart:
        was = foreign.chart.digest if foreign.chart else "no chart"
        raise Stop(
            "content-differs",
            f"{settings.app} {version} was published with different content.",
            f"The record names {was}, and the registry has {chart.digest} under this version.",
            "The chart was published again, so release a new version.",
        )
    images = record.images if record else _tagged(settings, version, store)
    release = _release(settings, version, tag, chart, images)
    return msgspec.structs.replace(
        release, recorded=record is not None, looked_up=bool(foreign and foreign.looked_up)
    )


def unrecorded(
    settings: Settings, version: str, hub: Hub, store: Registry, digests: Mapping[str, str] | None
) -> Release:
    """What a version is made of by its tag, its chart in the registry and `digests`, whatever is recorded of it.

    Without `digests` the images are looked up by tag. The Stops are those of `reviewed`.
    """
    tag = _tag(settings, version, hub)
    chart = _chart(settings, version, store)[0] if settings.own_chart else None
    images = _tagged(settings, version, store) if digests is None else digests
    release = _release(settings, version, tag, chart, images)
    reviewed_branches.demand(settings, release, hub)
    return release


def chart_record(settings: Settings, version: str, store: Registry) -> Record | None:
    """The record that the chart of a version contains; None where somebody else packed it."""
    return _chart(settings, version, store)[1]


def _tag(settings: Settings, version: str, hub: Hub) -> Tag:
    parse_version(version, source="version")
    name = settings.version.tag_prefix + version
    tag = hub.tag(name)
    if tag is None:
        raise Stop(
            "bad-input",
            f"The release {version} does not exist.",
            f"The repository {hub.repository} has no tag {name}.",
            "Release it first with version-bump, or name a version that exists. If it was released before "
            f"stagegate, tag its commit: `git tag -a {name} -m {name} <commit of {version}>`, then "
            f"`git push origin {name}`.",
        )
    return tag


def _release(
    settings: Settings, version: str, tag: Tag, chart: Chart | None, images: Mapping[str, str]
) -> Release:
    return Release(
        app=settings.app,
        version=version,
        tag=tag.name,
        commit=tag.target_commit,
        chart=chart,
        images=tuple(
            Image(reference=name, digest=digest, first_party=name in settings.images)
            for name, digest in sorted(images.items())
        ),
    )


def _chart(settings: Settings, version: str, store: Registry) -> tuple[Chart, Record | None]:
    reference = f"{settings.chart_reference}:{registry.chart_tag(version)}"
    manifest = store.manifest(reference)
    if manifest is None:
        raise Stop(
            "missing-file",
            f"The chart {version} is not in the registry.",
            f"The registry has no artifact {reference}.",
            "Publish it with helm-publish; a release without its chart cannot be deployed.",
        )
    chart = Chart(reference=settings.chart_reference, version=version, digest=manifest.digest)
    try:
        config = json.loads(store.blob(reference, manifest.document["config"]["digest"]))
        annotations = config.get("annotations") or {}
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise broken(
            reference,
            f"the configuration of the artifact is not that of a Helm chart ({type(error).__name__})",
        ) from error
    return chart, from_annotations(annotations, reference)


def deployed(
    settings: Settings, version: str, hub: Hub, commit: str | None = None
) -> tuple[int, ForeignRecord | None, bool]:
    """The record that is a deployment, by an identity that may write it: its number, what it says, and whether its
    status says that it is finished. The oldest counts: a later one cannot replace it. Without `commit` that of any
    commit is found, because the tag may have moved since. Stop(unknown-state)."""
    writers = accepted(settings, hub)
    candidates = [
        deployment
        for page in hub.deployment_pages(task(settings.app), ENVIRONMENT, commit)
        for deployment in page
        if is_accepted(deployment.creator, writers) and deployment.payload.get("version") == version
    ]
    if not candidates:
        return 0, None, False
    oldest = candidates[-1]
    where = f"deployment {oldest.id}"
    try:
        record = msgspec.convert({"commit": oldest.sha, **oldest.payload}, ForeignRecord)
    except msgspec.ValidationError as error:
        raise broken(where, f"{error}") from error
    if bad := [digest for digest in record.images.values() if not DIGEST.fullmatch(digest)]:
        raise broken(where, f"{bad[0][:80]!r} is not a digest")
    return oldest.id, record, any(status.state == "success" for status in oldest.statuses)


def _tagged(settings: Settings, version: str, store: Registry) -> dict[str, str]:
    """Digests by tag, for a release that stagegate did not publish: good enough to adopt, and said so."""
    tagged, names = {}, settings.image_tags(version)
    for image in settings.images:
        digest = next(filter(None, (store.digest(f"{image}:{name}") for name in names)), None)
        if digest is None:
            raise Stop(
                "missing-file",
                f"{image}:{' or '.join(names)} is not in the registry.",
                "The release has no record, so its images were looked up by tag.",
                "Publish the release with image-tags and helm-publish.",
            )
        tagged[image] = digest
    return tagged
