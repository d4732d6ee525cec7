"""What a check found: outputs, one annotation for each finding, and the summary by environment."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Literal

from stagegate.chart.check.plan import RANK, ChartFacts, Checked
from stagegate.chart.rules import all_rules
from stagegate.errors import Stop
from stagegate.model import Change, Finding, Message, Result, Severity, to_json
from stagegate.report.render import render
from stagegate.runner import log

_KINDS: Mapping[Severity, Literal["error", "warning", "notice"]] = MappingProxyType(
    {"error": "error", "warning": "warning", "note": "notice"}
)
_LIMIT = 10  # annotations of one kind that GitHub shows for a step; the verdict itself is one
_OUTPUT_LIMIT = 400_000  # bytes; GitHub drops job outputs beyond 1 MB, counted as UTF-16


def result(
    facts: ChartFacts, checked: Checked, changes: tuple[Change, ...], *, dry_run: bool, summary: bool = True
) -> Result:
    """The result: message, findings as annotations and JSON, and the summary if it is shown."""
    _annotate(checked)
    return Result(
        reason=checked.reason,
        message=_message(facts, checked),
        outputs={"findings": _output(checked)},
        summary=_summary(facts, checked) if summary else "",
        app=facts.app,
        version=facts.chart.version,
        dry_run=dry_run,
        changes=changes,
        findings=checked.findings,
    )


def _summary(facts: ChartFacts, checked: Checked) -> str:
    groups = [(group, list(findings)) for group, findings in groupby(checked.findings, _group)]
    environments = list(dict.fromkeys(rendered.environment for rendered in facts.chart.rendered))
    return render("chart_check.md.j2", facts=facts, checked=checked, groups=groups, environments=environments)


def explained(name: str) -> Result:
    """The description of one rule: check, reason and fix. Stop(bad-input) for an unknown name."""
    rules_by_id = {rule.id: rule for rule in all_rules()}
    rule = rules_by_id.get(name)
    if rule is None:
        import difflib  # loaded only for an unknown name

        near = difflib.get_close_matches(name, rules_by_id, 1)
        raise Stop(
            "bad-input",
            f"There is no rule {name!r}.",
            f"The rules are: {', '.join(rules_by_id)}.",
            f"Did you mean {near[0]}?" if near else "Use one of these names.",
        )
    why = f"{rule.why} {rule.details}".strip()
    message = Message(what=f"{rule.id}: {rule.about}.", why=why, next=rule.fix)
    return Result(reason="reported", message=message, outputs={"findings": "[]"})


def _group(finding: Finding) -> str:
    return "silenced" if finding.silenced else finding.severity


def _output(checked: Checked) -> str:
    """All findings as JSON; only the worst ones if a job's output would be too long."""
    content = to_json(checked.findings)
    if len(content) <= _OUTPUT_LIMIT:
        return content.decode()
    listed: list[Finding] = []
    remaining = _OUTPUT_LIMIT
    for finding in sorted(checked.findings, key=lambda f: (bool(f.silenced), RANK[f.severity])):
        remaining -= len(to_json(finding)) + 1
        if remaining < 0:
            break
        listed.append(finding)
    return to_json(listed).decode()


def _annotate(checked: Checked) -> None:
    """One annotation for each finding that is not silenced, up to GitHub's limit for each kind."""
    remaining = {"error": _LIMIT - (checked.reason == "findings"), "warning": _LIMIT, "notice": _LIMIT - 1}
    for finding in checked.findings:
        if finding.silenced:
            continue
        kind = _KINDS[finding.severity]
        if remaining[kind] > 0:
            remaining[kind] -= 1
            where = f" ({finding.environment})" if finding.environment else ""
            log.annotate(
                kind,
                f"{finding.message} {finding.why} {finding.fix}{where}",
                title=f"chart-check: {finding.rule}",
                file=finding.file or None,
                line=finding.line or None,
            )


def _message(facts: ChartFacts, checked: Checked) -> Message:
    chart = facts.chart
    names = ", ".join(
        dict.fromkeys(rendered.environment for rendered in chart.rendered if rendered.environment)
    )
    scope = f"The chart was rendered for {names}" if names else "The chart was rendered with its own values"
    scope = "The chart is a library chart and was linted" if chart.library else scope
    scope += f", as for Kubernetes {chart.kube_version}."
    if not checked.failing:
        silenced = sum(bool(finding.silenced) for finding in checked.findings)
        unsilenced = len(checked.findings) - silenced
        below = (
            f" Below {chart.checks.fail_on}: {unsilenced}; silenced: {silenced}."
            if unsilenced + silenced
            else ""
        )
        return Message(what=f"The chart {chart.path} passes every check.", why=scope + below)
    first = checked.failing[0]
    count = "one finding" if len(checked.failing) == 1 else f"{len(checked.failing)} findings"
    where = f" ({first.environment})" if first.environment else ""
    return Message(
        what=f"The chart {chart.path} does not pass: {count}.",
        why=f"The first{where}: {first.message}",
        next=f"{first.fix} The report lists every finding. To accept a finding, add it with a reason "
        f"under chart.checks.silence. --explain {first.rule} describes the rule.",
    )
