"""What the rules say, which of it is silenced, and whether that fails the check. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal

import msgspec

from stagegate.chart.rules import RULES, CheckFacts, Rendered
from stagegate.model import Finding, Severity
from stagegate.settings import ChartChecks

RANK: Mapping[Severity, int] = MappingProxyType({"error": 0, "warning": 1, "note": 2})


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The chart's renderings, and what was found before any rule looked: lint, and what does not render."""

    app: str
    version: str
    ground: CheckFacts
    rendered: tuple[Rendered, ...] = ()
    findings: tuple[Finding, ...] = ()


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """Every finding, worst first within its environment; `failing` are those that fail the check.

    `unknown` names the environments that do not render: nothing is known of them.
    """

    reason: Literal["verified", "findings"]
    findings: tuple[Finding, ...] = ()
    failing: tuple[Finding, ...] = ()
    unknown: tuple[str, ...] = ()


def plan(facts: Facts) -> Checked:
    """The verdict: `findings` when one that is not silenced is at or above `fail-on`."""
    checks = facts.ground.checks
    found = list(facts.findings)
    for rendered in facts.rendered:
        for rule in RULES.values():
            found += rule(rendered, facts.ground)
    order = {one: number for number, one in enumerate(dict.fromkeys(f.environment for f in found))}
    listed = sorted(dict.fromkeys(found), key=lambda f: (order[f.environment], RANK[f.severity]))
    judged = tuple(_silenced(one, checks) for one in listed)
    failing = tuple(one for one in judged if fails(one, checks))
    return Checked(
        reason="findings" if failing else "verified",
        findings=judged,
        failing=failing,
        unknown=tuple(one.environment for one in facts.rendered if one.objects is None),
    )


def fails(finding: Finding, checks: ChartChecks) -> bool:
    """Whether this finding fails the check."""
    return not finding.silenced and RANK[finding.severity] <= RANK[checks.fail_on]


def _silenced(finding: Finding, checks: ChartChecks) -> Finding:
    """With the reason of the first silence that means it; it stays in every list."""
    for one in checks.silence:
        if one.rule == finding.rule and fnmatchcase(finding.object, one.object):
            return msgspec.structs.replace(finding, silenced=one.reason)
    return finding
