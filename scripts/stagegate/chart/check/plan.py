"""The findings of the rules: which are silenced, and whether the check fails. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal

import msgspec

from stagegate.chart import rules
from stagegate.chart.rule import CheckFacts
from stagegate.model import Finding, Severity
from stagegate.settings import ChartChecks

RANK: Mapping[Severity, int] = MappingProxyType({"error": 0, "warning": 1, "note": 2})

_FIRST = frozenset(("chart-lint", "document-shape", "values-schema", "values-file-packaged"))


class ChartFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The app and its chart with everything it renders to; `findings` were made before any rule was tried."""

    app: str
    chart: CheckFacts
    findings: tuple[Finding, ...] = ()


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """Every finding, worst first; `failing` are those that fail the check.

    `environments` are those that were tried; `unknown` of them do not render, and nothing is known of them.
    """

    reason: Literal["verified", "findings"]
    findings: tuple[Finding, ...] = ()
    failing: tuple[Finding, ...] = ()
    unknown: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()


def plan(facts: ChartFacts) -> Checked:
    """The verdict: `findings` when one that is not silenced is at or above `fail-on`."""
    chart = facts.chart
    everything = [*facts.findings, *_of_rules(chart)]
    judged = tuple(_silenced(one, chart.checks) for one in _merged(everything))
    listed = tuple(sorted(judged, key=_order))
    failing = tuple(one for one in listed if fails(one, chart.checks))
    return Checked(
        reason="findings" if failing else "verified",
        findings=listed,
        failing=failing,
        unknown=tuple(one.environment for one in chart.rendered if one.objects is None),
        environments=tuple(sorted({one.environment for one in chart.rendered if one.environment})),
    )


def fails(finding: Finding, checks: ChartChecks) -> bool:
    """Whether this finding fails the check."""
    return not finding.silenced and RANK[finding.severity] <= RANK[checks.fail_on]


def environments_of(finding: Finding) -> tuple[str, ...]:
    """The environments that a finding is about; one with an empty name for the chart itself."""
    return tuple(finding.environment.split(", "))


def _of_rules(chart: CheckFacts) -> Iterator[Finding]:
    for rule in rules.all_rules():
        if rule.check_chart is not None:
            yield from rule.check_chart(chart)
        for rendered in chart.rendered if rule.check is not None else ():
            for one in rule.check(rendered, chart):  # type: ignore[misc]
                weaker = rendered.secondary and one.severity == "error"
                yield msgspec.structs.replace(one, severity="warning") if weaker else one


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """One finding for each cause: the same in several environments names them all.

    What the chart's own values share with an environment is that environment's, and as severe as there.
    """
    groups: dict[Finding, list[Finding]] = {}
    for one in findings:
        same = msgspec.structs.replace(one, environment="", severity="error")
        groups.setdefault(same, []).append(one)
    for several in groups.values():
        worst = min(several, key=lambda one: RANK[one.severity])
        names = dict.fromkeys(one.environment for one in several if one.environment)
        yield msgspec.structs.replace(worst, environment=", ".join(names))


def _order(finding: Finding) -> tuple[bool, int, bool, str]:
    """Worst first; what keeps the chart from rendering stands before what may follow from it."""
    return (bool(finding.silenced), RANK[finding.severity], finding.rule not in _FIRST, finding.rule)


def _silenced(finding: Finding, checks: ChartChecks) -> Finding:
    """With the reason of the first silence that means it; it stays in every list."""
    for one in checks.silence:
        if one.rule == finding.rule and fnmatchcase(finding.object, one.object):
            return msgspec.structs.replace(finding, silenced=one.reason)
    return finding
