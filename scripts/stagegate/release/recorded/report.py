"""Reports the result of record."""

from __future__ import annotations

from stagegate.model import Calls, Change, Message, Result, to_json
from stagegate.release.recorded.foreign_release import ForeignRelease


def result(
    app: str,
    foreign: ForeignRelease,
    decision: str,
    changes: tuple[Change, ...],
    calls: Calls,
    *,
    dry_run: bool,
) -> Result:
    """The result: message with the source of the digests, and outputs."""
    record = foreign.record
    images = f"{len(record.images)} image{'' if len(record.images) == 1 else 's'}"
    source = (
        "looked up by tag in this run, because the input `digests` is empty"
        if record.looked_up
        else "given to this step"
    )
    artifacts = f"{images}{' and the chart' if record.chart else ''}"
    reason = "planned" if dry_run else "already-published" if decision == "nothing" else "published"
    already = " already" if decision == "nothing" else ""
    in_chart = " by its chart" if foreign.in_chart else ""
    return Result(
        reason=reason,
        message=Message(
            what=f"{app} {record.version} ({foreign.tag}, commit {record.commit[:12]}) is recorded"
            f"{already}{in_chart}: {artifacts}.",
            why=f"The digests of the images were {source}." if record.images else "",
            next="Promote the release to the first environment." if decision == "write" else "",
        ),
        outputs={"version": record.version, "digests": to_json(dict(record.images)).decode()},
        app=app,
        version=record.version,
        dry_run=dry_run,
        changes=changes,
        calls=calls,
    )
