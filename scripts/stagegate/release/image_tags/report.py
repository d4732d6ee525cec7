"""What image-tags did, for people and for the next step."""

from __future__ import annotations

import json
from collections.abc import Mapping

from stagegate.model import Change, Message, Result
from stagegate.release.image_tags.plan import Tagging
from stagegate.report.render import render


def result(
    app: str,
    version: str,
    digests: Mapping[str, str],
    decided: tuple[Tagging, ...],
    changes: tuple[Change, ...],
    *,
    dry_run: bool,
) -> Result:
    """Message, outputs (`tags` and `digests` as JSON) and summary."""
    reason = "no-difference" if not changes else "planned" if dry_run else "tagged"
    what = {
        "no-difference": "Every image has its tags already.",
        "planned": f"{len(changes)} tags would be put.",
        "tagged": f"{len(changes)} tags were put on {len(digests)} images.",
    }[reason]
    return Result(
        reason=reason,
        message=Message(what=what),
        outputs={
            "tags": json.dumps([f"{tagging.image}:{tagging.tag}" for tagging in decided]),
            "digests": json.dumps(dict(digests)),
        },
        summary=render("image_tags.md.j2", reason=reason, tags=decided),
        app=app,
        version=version,
        dry_run=dry_run,
        changes=changes,
    )
