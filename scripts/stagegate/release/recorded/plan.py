"""Whether a version of others is to be recorded: once, and never with other content. Pure."""

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
            f"{app} {foreign.record.version} is recorded with other content.",
            f"{'; '.join(differing)}.",
            "A published version never changes: release a new one.",
        )
    return "nothing" if foreign.finished else "finish"


def _differing(existing: ForeignRecord, now: ForeignRecord) -> Iterator[str]:
    """What a record names otherwise, both sides in words."""
    if existing.commit != now.commit:
        yield f"commit {existing.commit} is recorded, the tag is {now.commit}"
    for image in sorted({*existing.images, *now.images}):
        was, then = existing.images.get(image, "none"), now.images.get(image, "none")
        if was != then:
            yield f"{image} is recorded with {was}, now it is {then}"
    was, then = (one.chart.digest if one.chart else "none" for one in (existing, now))
    if was != then:
        yield f"the chart is recorded with {was}, now it is {then}"
