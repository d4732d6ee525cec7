"""Reports the results of image-tags."""

from __future__ import annotations

import json
from collections.abc import Mapping

from stagegate.model import Change, Finding, Message, Result
from stagegate.release.image_tags.plan import Tagging
from stagegate.report.render import render
from stagegate.runner import log


def result(
    app: str,
    version: str,
    digests: Mapping[str, str],
    decided: tuple[Tagging, ...],
    changes: tuple[Change, ...],
    *,
    strays: tuple[Finding, ...] = (),
    dry_run: bool,
) -> Result:
    """The result of tagging: message, outputs (`tags` and `digests` as JSON), summary. Strays are also logged."""
    warn(strays)
    reason = "no-difference" if not changes else "planned" if dry_run else "tagged"
    what = {
        "no-difference": "Every image already has its tags.",
        "planned": f"{_many(len(changes), 'tag')} would be set.",
        "tagged": f"{_many(len(changes), 'tag')} set on {_many(len(digests), 'image')}.",
    }[reason]
    return Result(
        reason=reason,
        message=Message(what=what),
        outputs={
            "tags": json.dumps([f"{tagging.image}:{tagging.tag}" for tagging in decided]),
            "digests": json.dumps(dict(digests)),
        },
        summary=render("image_tags.md.j2", tags=decided, findings=strays),
        findings=strays,
        app=app,
        version=version,
        dry_run=dry_run,
        changes=changes,
    )


def warn(strays: tuple[Finding, ...]) -> None:
    """One warning for each stray tag."""
    for stray in strays:
        log.annotate("warning", f"{stray.message} {stray.why} {stray.fix}", title="stray tag")


def verified(
    app: str, version: str, digests_by_tag: Mapping[str, Mapping[str, str]], findings: tuple[Finding, ...]
) -> Result:
    """The result of the mode `verify`: the tags and digests of each image, and the findings."""
    digests = {image: next(iter(tags.values()), "") for image, tags in digests_by_tag.items()}
    what = (
        f"{_many(len(findings), 'tag')} of {app} {version} missing or on another image."
        if findings
        else f"{_many(len(digests_by_tag), 'image')} of {app} {version}: every tag names the same image."
    )
    return Result(
        reason="findings" if findings else "verified",
        message=Message(
            what=what,
            why=" ".join(finding.message for finding in findings[:5]),
            next="Run image-tags with the digests of the build." if findings else "",
        ),
        outputs={
            "tags": json.dumps([f"{image}:{tag}" for image, tags in digests_by_tag.items() for tag in tags]),
            "digests": json.dumps(digests),
        },
        summary=render("image_tags.md.j2", tags=(), findings=findings),
        app=app,
        version=version,
        findings=findings,
    )


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
