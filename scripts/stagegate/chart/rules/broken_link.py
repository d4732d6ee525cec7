"""broken-link: the targets of links between rendered objects exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from stagegate.chart.links.broken import broken
from stagegate.chart.links.scene import BrokenLink
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, by_cause, finding, shown
from stagegate.model import Finding

_CONTAINER = re.compile(r"(?<!no )container (?!of )\S*[^\s,.]")
_WHY = "Each of the two objects alone is valid, but they do not work together."
_FIX = (
    "Correct one of the two objects. If the target exists outside the chart, silence the finding under "
    "chart.checks.silence."
)


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """A finding for each selector, port, probe, mount, backend, target, role and key without a target."""
    incomplete = any(not document.repeated for document in rendered.broken)
    links = (link for link in broken(rendered) if not _external(link, chart))
    for several in by_cause(links, lambda link: (_CONTAINER.sub("a container", link.text), link.severity)):
        link = several[0]
        text = _CONTAINER.sub("a container", link.text) if several[1:] else link.text
        labels = shown(list(dict.fromkeys(broken_link.object.label for broken_link in several)))
        yield finding(
            "broken-link",
            link.object,
            rendered,
            chart,
            severity="warning" if incomplete and link.severity == "error" else link.severity,
            message=f"{labels} {text}." if not several[1:] else f"{labels}: each {text}.",
            why=link.why,
            fix=_FIX,
        )


def _external(link: BrokenLink, chart: CheckFacts) -> bool:
    """Whether `external` in the settings lists the missing target."""
    return any(fnmatchcase(name, pattern) for pattern in chart.checks.external for name in _named(link.text))


def _named(text: str) -> Iterator[str]:
    """`Kind/name` of the missing target, as in `external`."""
    words = text.replace(",", "").split()
    yield from (word for word in words if "/" in word)
    if "Service" in words[:-1]:
        yield f"Service/{words[words.index('Service') + 1]}"


_SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: more}\n"
    "spec: {selector: {app: %s}, ports: [{port: 80, targetPort: http}]}\n"
)

RULE = ChartRule(
    id="broken-link",
    severity="error",
    about="Selectors, ports, probes, mounts, backends, targets, roles and keys name something that exists",
    why=_WHY,
    fix=_FIX,
    check=check,
    bad=Twin(files={"templates/more.yaml": _SERVICE % "other"}),
    good=Twin(files={"templates/more.yaml": _SERVICE % "kiosk"}),
)
