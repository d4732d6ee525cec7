"""floating-tag: image tags name the same software tomorrow as today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from stagegate.chart.first_party import repositories
from stagegate.chart.image_references import MOVING, UsedImage, allowed, used
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, finding, shown
from stagegate.chart.walk import is_test
from stagegate.model import Finding, Severity
from stagegate.patterns import pattern

_WHY = "The tag can refer to different, untested software tomorrow."
_FIX = (
    "Use the tag of a version, if possible with @sha256:<digest>, or list the image under "
    "chart.checks.allow-images."
)
_INLINE = pattern(r"""image:\s*["']?([a-z0-9][\w./-]*:latest)\b""")


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """An error for no tag or `latest`, a warning for the name of a branch, a note for a foreign tag without digest.

    For the app's own images a fixed tag is enough, because the release records their digests. In `helm test` hooks,
    which Argo CD never runs, every finding is a note.
    """
    own_repositories = repositories(rendered, chart)
    groups: dict[tuple[Severity, str], list[UsedImage]] = defaultdict(list)
    for image in used(rendered.objects or ()):
        if image.digest or allowed(image.repository, chart.checks.allow_images):
            continue
        severity, problem = _judged(image, own_repositories)
        if severity is not None:
            weaker: Severity = "note" if is_test(image.object) else severity
            key = "" if weaker == "note" or image.repository in own_repositories else image.text
            groups[weaker, f"{key}\n{problem}"].append(image)
    for (severity, key), several in groups.items():
        names = list(dict.fromkeys(image.text for image in several))
        places = list(dict.fromkeys(f"{image.object.label} at {image.path}" for image in several))
        yield finding(
            "floating-tag",
            several[0].object,
            rendered,
            chart,
            severity=severity,
            message=f"{shown(names, 5)} {key.partition(chr(10))[2]}: {shown(places)}.",
            why=_WHY,
            fix=_FIX,
        )


def check_chart(chart: CheckFacts) -> Iterator[Finding]:
    """`latest` in templates that no environment renders."""
    rendered = {image.text for rendering in chart.rendered for image in used(rendering.objects or ())}
    for path, text in chart.templates.items():
        for match in _INLINE.finditer(text):
            name = match[1]
            repository = name.removesuffix(":latest")
            if name in rendered or allowed(repository, chart.checks.allow_images) or "/tests/" in path:
                continue
            yield Finding(
                rule="floating-tag",
                severity="warning",
                file=f"{chart.path}/{path}",
                line=text.count("\n", 0, match.start()) + 1,
                message=f"The image {name} is written in {path}, but no environment renders this image.",
                why=_WHY,
                fix=_FIX,
            )


def _judged(image: UsedImage, own_repositories: tuple[str, ...]) -> tuple[Severity | None, str]:
    if image.tag in ("", "latest"):
        return "error", "has the tag latest" if image.tag else "has no tag, so Kubernetes uses latest"
    if image.tag.lower() in MOVING:
        return "warning", f"has the tag {image.tag}, which can refer to a different image later"
    return (None, "") if image.repository in own_repositories else ("note", "has no digest")


_POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: more}\nspec: {containers: [{name: more, image: %s}]}\n"

RULE = ChartRule(
    id="floating-tag",
    severity="error",
    about="Image tags always refer to the same image",
    why=_WHY,
    fix=_FIX,
    check=check,
    check_chart=check_chart,
    bad=Twin(files={"templates/more.yaml": _POD % "busybox:latest"}),
    good=Twin(files={"templates/more.yaml": _POD % f'"busybox:1.36@sha256:{"a" * 64}"'}),
)
