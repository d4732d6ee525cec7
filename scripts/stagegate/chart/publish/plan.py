"""Decides whether a release is published, already published or refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from stagegate.errors import Stop
from stagegate.model import Finding


class PublishedChart(msgspec.Struct, frozen=True, kw_only=True):
    """The published chart of this version: digest, content digest, and the commit and images in its record.

    Commit and images are empty without a record.
    """

    digest: str
    content: str
    commit: str = ""
    images: Mapping[str, str] = {}


class ChartReleaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The release of this build, the findings of its checks, and the published version.

    `reference` is the target with its tag. `digest` and `content` are those of this build, empty when the checks
    failed before it was packed. `rendered` names the environments for which the chart was rendered. `begun` is the
    address of an upload that has begun.
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
    existing: PublishedChart | None = None
    begun: str = ""


class ChartPublication(msgspec.Struct, frozen=True, kw_only=True):
    """The decision: publish, or the reason against it.

    `digest` is that of the version in the registry, after the push.
    """

    reason: Literal["published", "already-published", "findings"]
    digest: str = ""
    errors: tuple[Finding, ...] = ()


def plan(facts: ChartReleaseFacts) -> ChartPublication:
    """The decision. Stop(version-taken) when the version is published with other content (I5)."""
    errors = tuple(f for f in facts.findings if f.severity == "error" and not f.silenced)
    if errors:
        return ChartPublication(reason="findings", errors=errors)
    if facts.existing is None:
        return ChartPublication(reason="published", digest=facts.digest)
    if facts.digest == facts.existing.digest or facts.content == facts.existing.content:
        return ChartPublication(reason="already-published", digest=facts.existing.digest)
    raise taken(facts.reference, facts.existing.digest, facts.digest, _difference(facts, facts.existing))


def taken(reference: str, existing: str, built: str, difference: str = "") -> Stop:
    """The Stop for a version that exists with other content: it names both digests and the difference."""
    return Stop(
        "version-taken",
        f"{reference} is already published with different content.",
        f"The registry has {existing}, but this build is {built}{difference}, and a published "
        "version never changes.",
        "Release a new version with version-bump, and publish the new version.",
    )


def _difference(facts: ChartReleaseFacts, existing: PublishedChart) -> str:
    """The part of the release that differs, as far as the records show it."""
    if not existing.commit:
        return ""
    if existing.commit != facts.commit:
        return f" (published from commit {existing.commit[:12]}, this run releases {facts.commit[:12]})"
    differing = [name for name, digest in facts.images.items() if existing.images.get(name) != digest]
    return (
        f" (the same commit, but a different build of {', '.join(differing)})"
        if differing
        else " (the same commit, but a different chart)"
    )
