"""What a GitHub release needs, decided from facts alone: evidence first, then what is missing."""

from __future__ import annotations

import msgspec
import semver

from stagegate.errors import Stop
from stagegate.model import Evidence, digest_of, is_prerelease


class ReleaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that belongs to the release."""

    name: str
    content_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of the content, as GitHub shows it."""
        return digest_of(self.content)


class Testimony(msgspec.Struct, frozen=True, kw_only=True):
    """One environment's word on the release: the commit status, and the newest deciding record behind it.

    `trusted` says whether the status was written by somebody whose word counts; the record always was.
    """

    environment: str
    required: bool
    state: str = ""
    creator: str = ""
    trusted: bool = False
    evidence: Evidence | None = None


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """A file GitHub has already; `same` when it says what ours says (equal evidence may differ in bytes)."""

    name: str
    digest: str
    same: bool


class Existing(msgspec.Struct, frozen=True, kw_only=True):
    """The release as GitHub shows it now."""

    id: int
    draft: bool
    url: str
    assets: tuple[Uploaded, ...] = ()


class ReleaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the decision needs. `published` are the versions with a published release."""

    app: str
    version: str
    tag: str
    commit: str
    notes: str
    seen: tuple[Testimony, ...]
    assets: tuple[ReleaseFile, ...]
    existing: Existing | None
    published: tuple[str, ...]


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: draft if there is none, upload, publish; nothing of it when all is there."""

    reason: str
    draft: bool
    uploads: tuple[str, ...]
    publish: bool
    prerelease: bool
    latest: bool


def plan(facts: ReleaseFacts) -> Publication:
    """Decide. Stop(no-evidence), Stop(evidence-mismatch) or Stop(version-taken)."""
    for seen in facts.seen:
        if seen.required:
            _demand(seen, facts)
    there = {asset.name: asset for asset in facts.existing.assets} if facts.existing else {}
    for asset in facts.assets:
        other = there.get(asset.name)
        if other and not other.same:
            raise _taken(facts, asset, other)
    uploads = tuple(asset.name for asset in facts.assets if asset.name not in there)
    publish = facts.existing is None or facts.existing.draft
    return Publication(
        reason="published" if publish or uploads else "already-published",
        draft=facts.existing is None,
        uploads=uploads,
        publish=publish,
        prerelease=is_prerelease(facts.version),
        latest=is_latest(facts.version, facts.published),
    )


def is_latest(version: str, published: tuple[str, ...]) -> bool:
    """Whether it is the highest stable version of all published ones; a pre-release never is."""
    ours = semver.Version.parse(version)
    stable = (semver.Version.parse(other) for other in published if not is_prerelease(other))
    return ours.prerelease is None and all(ours >= other for other in stable)


def binding(evidence: Evidence) -> tuple[object, ...]:
    """What evidence is about: two documents with the same binding speak of the same software."""
    images = sorted((image.reference, image.digest) for image in evidence.images)
    return (
        evidence.app,
        evidence.environment,
        evidence.version,
        evidence.commit,
        evidence.chart,
        tuple(images),
    )


def _demand(seen: Testimony, facts: ReleaseFacts) -> None:
    """The gate of one environment must have passed, for this version, by somebody whose word counts."""
    place = f"{facts.app} {facts.version} in {seen.environment}"
    if not seen.state:
        raise _no_evidence(place, f"No gate has written a status on {facts.commit[:12]}.")
    if not seen.trusted:
        who = seen.creator or "somebody GitHub no longer knows"
        raise _no_evidence(place, f"The status was written by {who}, whose word does not count here.")
    if seen.state != "success":
        raise _no_evidence(place, f"The gate's status is {seen.state}.")
    if seen.evidence is None:
        raise _no_evidence(place, "The status is success, but no record of that version stands behind it.")
    if seen.evidence.outcome != "passed":
        raise _no_evidence(place, f"The newest record says {seen.evidence.outcome} ({seen.evidence.reason}).")
    if seen.evidence.commit != facts.commit:
        raise Stop(
            "evidence-mismatch",
            f"The evidence of {place} is for another commit.",
            f"It names {seen.evidence.commit[:12]}; the tag {facts.tag} is {facts.commit[:12]}.",
            f"Run staging-gate for {facts.version} in {seen.environment}.",
        )


def _no_evidence(place: str, why: str) -> Stop:
    return Stop(
        "no-evidence",
        f"There is no evidence for {place}.",
        why,
        "Run staging-gate there and publish after it has passed.",
    )


def _taken(facts: ReleaseFacts, ours: ReleaseFile, there: Uploaded) -> Stop:
    return Stop(
        "version-taken",
        f"The release {facts.tag} has a file {ours.name} with other content.",
        f"GitHub holds {there.digest}, this run has {ours.digest}; a published version never changes.",
        "Release a new version; if the file is a left-over in a draft, delete it there and run again.",
    )
