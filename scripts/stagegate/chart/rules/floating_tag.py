"""floating-tag: an image whose tag names other software tomorrow; what was tested is then not what runs."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.rules.ground import CheckFacts, Rendered, finding
from stagegate.chart.rules.images import allowed, used
from stagegate.model import Finding, Severity

_MOVING = frozenset(("main", "master", "develop", "dev", "edge", "nightly", "stable", "canary", "testing"))


def check(rendered: Rendered, ground: CheckFacts) -> Iterator[Finding]:
    """No tag or `latest` is an error, a branch's name a warning, another's fixed tag without digest a note.

    Images of ours by tag are proven by digest elsewhere, so there a fixed tag is enough.
    """
    for image in used(rendered.objects or ()):
        if image.digest or allowed(image.repository, ground.checks.allow_images):
            continue
        severity: Severity
        if image.tag in ("", "latest"):
            severity, what = "error", "has the tag latest" if image.tag else "has no tag, which means latest"
        elif image.tag.lower() in _MOVING:
            severity, what = "warning", f"has the tag {image.tag}, which moves"
        elif image.repository not in ground.images:
            severity, what = "note", "has no digest"
        else:
            continue
        yield finding(
            "floating-tag",
            image.object,
            rendered,
            ground,
            severity=severity,
            message=f"{image.text} at {image.path} {what}.",
            why="The registry may hand out other software under the same name tomorrow.",
            fix="Name a version, best with @sha256:<digest>, or list the image under chart.checks.allow-images.",
        )
