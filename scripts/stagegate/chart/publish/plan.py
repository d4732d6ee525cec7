"""Whether a release may be published, and whether anything is left to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from stagegate.errors import Stop
from stagegate.model import Finding


class PublishedChart(msgspec.Struct, frozen=True, kw_only=True):
    """What is published under this version already: its digest, the digest of what is inside, and the commit
    and images its record names (empty where that is not known)."""

    digest: str
    content: str
    commit: str = ""
    images: Mapping[str, str] = {}


class ChartReleaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The release as built here, what the checks found, and what is published.

    `reference` is where it goes (with the tag); `digest` and `content` are of our own build, empty when the
    checks failed before it was packed. `rendered` names the environments whose values were tried, `begun` is the
    place of the upload that has begun.
    """

    app: str
    version: str
    commit: str
    images: Mapping[str, str]
    chart: str = ""
    reference: str
    digest: str = ""
    content: str = ""
    rendered: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    there: PublishedChart | None = None
    begun: str = ""


class ChartPublication(msgspec.Struct, frozen=True, kw_only=True):
    """The decision: publish, or why not. `digest` is that of the version in the registry, now or after the push."""

    reason: Literal["published", "already-published", "findings"]
    digest: str = ""
    errors: tuple[Finding, ...] = ()


def plan(facts: ChartReleaseFacts) -> ChartPublication:
    """The decision. Stop(version-taken) when the version is published with other content (I5)."""
    errors = tuple(f for f in facts.findings if f.severity == "error" and not f.silenced)
    if errors:
        return ChartPublication(reason="findings", errors=errors)
    if facts.there is None:
        return ChartPublication(reason="published", digest=facts.digest)
    if facts.digest == facts.there.digest or facts.content == facts.there.content:
        return ChartPublication(reason="already-published", digest=facts.there.digest)
    raise taken(facts.reference, facts.there.digest, facts.digest, _difference(facts, facts.there))


def taken(reference: str, existing: str, ours: str, difference: str = "") -> Stop:
    """The Stop for a version that exists with other content: it names both digests and the difference."""
    return Stop(
        "version-taken",
        f"{reference} is published already, with other content.",
        f"The registry has {existing}, this build is {ours}{difference}; a published version never changes.",
        "Make a new version with version-bump and publish that.",
    )


def _difference(facts: ChartReleaseFacts, existing: PublishedChart) -> str:
    """Which part of the release is another one, where the records tell."""
    if not existing.commit:
        return ""
    if existing.commit != facts.commit:
        return f" (published from commit {existing.commit[:12]}, this is {facts.commit[:12]})"
    other = [name for name, digest in facts.images.items() if existing.images.get(name) != digest]
    return (
        f" (same commit, another build of {', '.join(other)})" if other else " (same commit, another chart)"
    )
