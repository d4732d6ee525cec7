"""Decides whether to record a version: once, and never with other content. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.errors import Stop
from stagegate.evidence.release_record import ForeignRecord
from stagegate.release.recorded.foreign_release import ForeignRelease


def plan(app: str, foreign: ForeignRelease) -> str:
    """`write`, `finish` (the record has no status yet) or `nothing`. Stop(version-taken) for other content."""
    if foreign.existing is None:
        return "write"
    differing = list(_differing(foreign.existing, foreign.record))
    if differing:
        raise Stop(
            "version-taken",
            f"The release record of {app} {foreign.record.version} already exists, with different content.",
            f"{'; '.join(differing)}.",
            "A published version never changes. Release a new version.",
        )
    return "nothing" if foreign.finished else "finish"


def _differing(existing: ForeignRecord, new: ForeignRecord) -> Iterator[str]:
    """A description of each difference between two records."""
    if existing.commit != new.commit:
        yield f"the record contains commit {existing.commit}, but the tag is commit {new.commit}"
    for image in sorted({*existing.images, *new.images}):
        recorded, current = existing.images.get(image, "none"), new.images.get(image, "none")
        if recorded != current:
            yield f"the record contains {image} with {recorded}, but the registry now has {current}"
    recorded, current = (record.chart.digest if record.chart else "none" for record in (existing, new))
    if recorded != current:
        yield f"the record contains the chart with {recorded}, but the registry now has {current}"
