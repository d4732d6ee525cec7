"""Collects the findings of all rules and decides whether the check fails. Pure."""

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
    """The app and its chart with all renderings; `findings` are those from before the rules."""

    app: str
    chart: CheckFacts
    findings: tuple[Finding, ...] = ()


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """Every finding, worst first; `failing` are those that fail the check.

    `environments` are those for which the chart was rendered; it does not render for those in `unknown`.
    """

    reason: Literal["verified", "findings"]
    findings: tuple[Finding, ...] = ()
    failing: tuple[Finding, ...] = ()
    unknown: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()


def plan(facts: ChartFacts) -> Checked:
    """The verdict: `findings` when a finding is at or above `fail-on` and not silenced."""
    chart = facts.chart
    everything = [*facts.findings, *_of_rules(chart)]
    judged = tuple(_silenced(finding, chart.checks) for finding in _merged(everything))
    listed = tuple(sorted(judged, key=_order))
    failing = tuple(finding for finding in listed if fails(finding, chart.checks))
    return Checked(
        reason="findings" if failing else "verified",
        findings=listed,
        failing=failing,
        unknown=tuple(rendered.environment for rendered in chart.rendered if rendered.objects is None),
        environments=tuple(
            sorted({rendered.environment for rendered in chart.rendered if rendered.environment})
        ),
    )


def fails(finding: Finding, checks: ChartChecks) -> bool:
    """Whether this finding fails the check."""
    return not finding.silenced and RANK[finding.severity] <= RANK[checks.fail_on]


def environments_of(finding: Finding) -> tuple[str, ...]:
    """The environments of a finding; the empty name means the chart itself."""
    return tuple(finding.environment.split(", "))


def _of_rules(chart: CheckFacts) -> Iterator[Finding]:
    for rule in rules.all_rules():
        if rule.check_chart is not None:
            yield from rule.check_chart(chart)
        for rendered in chart.rendered if rule.check is not None else ():
            for finding in rule.check(rendered, chart):  # type: ignore[misc]
                weaker = rendered.secondary and finding.severity == "error"
                yield msgspec.structs.replace(finding, severity="warning") if weaker else finding


def _merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """One finding for each cause, with all its environments.

    A finding about the chart's own values that also occurs in an environment gets the severity it has there.
    """
    groups: dict[Finding, list[Finding]] = {}
    for finding in findings:
        key = msgspec.structs.replace(finding, environment="", severity="error")
        groups.setdefault(key, []).append(finding)
    for several in groups.values():
        worst = min(several, key=lambda finding: RANK[finding.severity])
        names = dict.fromkeys(finding.environment for finding in several if finding.environment)
        yield msgspec.structs.replace(worst, environment=", ".join(names))


def _order(finding: Finding) -> tuple[bool, int, bool, str]:
    """Worst first; findings that prevent rendering come before their possible consequences."""
    return (bool(finding.silenced), RANK[finding.severity], finding.rule not in _FIRST, finding.rule)


def _silenced(finding: Finding, checks: ChartChecks) -> Finding:
    """The finding with the reason of the first matching entry of `silence`, if any."""
    for silence in checks.silence:
        if silence.rule == finding.rule and fnmatchcase(finding.object, silence.object):
            return msgspec.structs.replace(finding, silenced=silence.reason)
    return finding
