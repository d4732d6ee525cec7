"""Decides what a GitHub release still needs, after checking its evidence. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.errors import Stop
from stagegate.model import Evidence, is_prerelease
from stagegate.release.publication import checksums
from stagegate.release.publication.plan_facts import (
    EnvironmentEvidence,
    Publication,
    ReleaseFacts,
    ReleaseFile,
    UploadedFile,
)
from stagegate.versions import Version


def plan(facts: ReleaseFacts, *, wait_for_others: bool = False) -> Publication:
    """Decide. Stop(no-evidence), Stop(evidence-mismatch) or Stop(version-taken).

    With `wait_for_others`, missing evidence is not an error: the gate that writes it publishes the release later.
    """
    try:
        for environment in facts.environments:
            if environment.required:
                _demand(environment, facts)
    except Stop as stop:
        if not wait_for_others or stop.reason != "no-evidence":
            raise
        return _queued(facts, stop)
    _demand_images(facts)
    existing = facts.existing
    uploaded = {asset.name: asset for asset in existing.assets} if existing else {}
    for asset in facts.assets:
        present = uploaded.get(asset.name)
        if present and not present.same:
            raise _taken(facts, asset.name, asset.digest, present.digest)
    uploads = tuple(asset for asset in facts.assets if asset.name not in uploaded)
    publish = existing is None or existing.draft
    sums = _sums(facts, uploaded)
    if uploads and not publish:
        _demand_open(facts, uploads, sums)
    if sums and not publish and not uploads:
        sums = None  # an older release without checksums: complete as it is
    uploads = (*uploads, sums) if sums else uploads
    return Publication(
        reason="published" if publish or uploads else "already-published",
        draft=existing is None,
        uploads=uploads,
        replaced=existing.sums_id if sums and existing and existing.sums is not None else 0,
        publish=publish,
        prerelease=is_prerelease(facts.version),
        latest=is_latest(facts.version, facts.published),
    )


def _queued(facts: ReleaseFacts, stop: Stop) -> Publication:
    """The plan while another gate is missing: nothing to do."""
    return Publication(
        reason="queued",
        draft=False,
        uploads=(),
        replaced=0,
        publish=False,
        prerelease=is_prerelease(facts.version),
        latest=False,
        waits_for=f"{stop.what} {stop.why}",
    )


def is_latest(version: str, published: tuple[str, ...]) -> bool:
    """Whether this is the highest stable version of all published ones; a pre-release never is."""
    current = Version.parse(version)
    stable = (Version.parse(text) for text in published if not is_prerelease(text))
    return current.prerelease is None and all(current >= existing for existing in stable)


def binding(evidence: Evidence) -> tuple[object, ...]:
    """What evidence is bound to: two documents with the same binding are about the same software."""
    images = sorted((image.reference, image.digest) for image in evidence.images)
    return (
        evidence.app,
        evidence.environment,
        evidence.version,
        evidence.commit,
        evidence.chart,
        tuple(images),
    )


def _demand(environment: EnvironmentEvidence, facts: ReleaseFacts) -> None:
    """Check that a gate passed for this commit, with an accepted author. Stop(no-evidence|evidence-mismatch)."""
    place = f"{facts.app} {facts.version} in {environment.name}"
    if not environment.state:
        raise _no_evidence(place, f"No gate has written a status on {facts.commit[:12]}.")
    if not environment.trusted:
        author = environment.creator or "an account that GitHub no longer has"
        raise _no_evidence(
            place,
            f"The status was written by {author}, but statuses of this account do not count as evidence.",
        )
    if environment.state != "success":
        raise _no_evidence(place, f"The status of the gate is {environment.state}.")
    if environment.evidence is None:
        raise _no_evidence(place, "The status is success, but the environment has no record of this version.")
    if environment.evidence.outcome != "passed":
        raise _no_evidence(
            place,
            f"The newest record reports {environment.evidence.outcome} ({environment.evidence.reason}).",
        )
    if environment.evidence.commit != facts.commit:
        raise Stop(
            "evidence-mismatch",
            f"The evidence of {place} is for another commit.",
            f"The evidence names commit {environment.evidence.commit[:12]}, but the tag "
            f"{facts.tag} points to commit {facts.commit[:12]}.",
            f"Run staging-gate for {facts.version} in {environment.name}.",
        )


def _no_evidence(place: str, why: str) -> Stop:
    return Stop(
        "no-evidence",
        f"There is no evidence for {place}.",
        why,
        "Run staging-gate for this environment, and publish the release after the gate has passed.",
    )


def _demand_images(facts: ReleaseFacts) -> None:
    """Check that every tag of the release names the tested image. Stop(image-moved)."""
    for image, tags in facts.tagged.items():
        for tag, digest in tags.items():
            if digest and digest != facts.images[image]:
                raise Stop(
                    "image-moved",
                    f"{image}:{tag} is not the image that was tested.",
                    f"The registry has {digest}, but the evidence is for {facts.images[image]}.",
                    f"Find out who changed the tag. Set the tag back to {facts.images[image]}, or "
                    "release a new version.",
                )


def _sums(facts: ReleaseFacts, uploaded: Mapping[str, UploadedFile]) -> ReleaseFile | None:
    """The checksums to upload; None when the release has them. Stop(version-taken) when they differ."""
    digests = {
        asset.name: uploaded[asset.name].digest if asset.name in uploaded else asset.digest
        for asset in facts.assets
    }
    existing = facts.existing.sums if facts.existing else None
    for name, digest in digests.items():
        if existing and existing.get(name, digest) != digest:
            raise _taken(facts, name, digest, existing[name])
    if not digests or (existing is not None and digests.keys() <= existing.keys()):
        return None
    content = checksums.write({**(existing or {}), **digests})
    return ReleaseFile(name=checksums.NAME, content_type="text/plain", content=content)


def _demand_open(facts: ReleaseFacts, uploads: tuple[ReleaseFile, ...], sums: ReleaseFile | None) -> None:
    """Check that files can be added to a published release. Stop(version-taken)."""
    existing = facts.existing
    sealed = existing is not None and (existing.immutable or (existing.sums is not None and sums is not None))
    if not sealed:
        return
    why = (
        "GitHub made the release immutable when it was published, so no file can be added or changed."
        if existing is not None and existing.immutable
        else f"The {checksums.NAME} of the release does not list this file, and a published version "
        "never changes."
    )
    raise Stop(
        "version-taken",
        f"The release {facts.tag} was published without {uploads[0].name}.",
        why,
        "Release a new version. publish-release uploads every file to a draft first and publishes it last.",
    )


def _taken(facts: ReleaseFacts, name: str, own_digest: str, uploaded: str) -> Stop:
    return Stop(
        "version-taken",
        f"The release {facts.tag} has a file {name} with different content.",
        f"GitHub has {uploaded}, this run has {own_digest}. A published version never changes.",
        "Release a new version. If the file is left over in a draft, delete the file from the "
        "draft and run the job again.",
    )
