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
_LIMIT = 10  # annotations of one kind that GitHub shows for a step; the verdict itself takes one
_OUTPUT_LIMIT = 400_000  # bytes; GitHub drops job outputs beyond 1 MB, counted as UTF-16


def result(
    facts: ChartFacts, checked: Checked, changes: tuple[Change, ...], *, dry_run: bool, summary: bool = True
) -> Result:
    """The findings as annotations and as JSON, the message, and the summary where it has a reader."""
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
    groups = [(one, list(same)) for one, same in groupby(checked.findings, _group)]
    environments = list(dict.fromkeys(one.environment for one in facts.chart.rendered))
    return render("chart_check.md.j2", facts=facts, checked=checked, groups=groups, environments=environments)


def explained(name: str) -> Result:
    """The description of one rule: check, reason and fix. Stop(bad-input) for an unknown name."""
    known = {rule.id: rule for rule in all_rules()}
    rule = known.get(name)
    if rule is None:
        import difflib  # only where something is wrong

        near = difflib.get_close_matches(name, known, 1)
        raise Stop(
            "bad-input",
            f"There is no rule {name!r}.",
            f"The rules are: {', '.join(known)}.",
            f"Did you mean {near[0]}?" if near else "Use one of these names.",
        )
    why = f"{rule.why} {rule.details}".strip()
    message = Message(what=f"{rule.id}: {rule.about}.", why=why, next=rule.fix)
    return Result(reason="reported", message=message, outputs={"findings": "[]"})


def _group(finding: Finding) -> str:
    return "silenced" if finding.silenced else finding.severity


def _output(checked: Checked) -> str:
    """All findings as JSON; where a job's output could not hold them, the worst of them."""
    whole = to_json(checked.findings)
    if len(whole) <= _OUTPUT_LIMIT:
        return whole.decode()
    kept: list[Finding] = []
    left = _OUTPUT_LIMIT
    for one in sorted(checked.findings, key=lambda f: (bool(f.silenced), RANK[f.severity])):
        left -= len(to_json(one)) + 1
        if left < 0:
            break
        kept.append(one)
    return to_json(kept).decode()


def _annotate(checked: Checked) -> None:
    """One annotation for each finding that is not silenced, up to GitHub's limit for each kind."""
    left = {"error": _LIMIT - (checked.reason == "findings"), "warning": _LIMIT, "notice": _LIMIT - 1}
    for finding in checked.findings:
        if finding.silenced:
            continue
        kind = _KINDS[finding.severity]
        if left[kind] > 0:
            left[kind] -= 1
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
    names = ", ".join(dict.fromkeys(one.environment for one in chart.rendered if one.environment))
    tried = f"It was rendered for {names}" if names else "It was rendered with its own values"
    tried = "It is a library chart and was linted" if chart.library else tried
    tried += f", as for Kubernetes {chart.kube_version}."
    if not checked.failing:
        silenced = sum(bool(one.silenced) for one in checked.findings)
        rest = len(checked.findings) - silenced
        below = f" Below {chart.checks.fail_on}: {rest}; silenced: {silenced}." if rest + silenced else ""
        return Message(what=f"The chart {chart.path} passes every check.", why=tried + below)
    first = checked.failing[0]
    count = "one finding" if len(checked.failing) == 1 else f"{len(checked.failing)} findings"
    where = f" ({first.environment})" if first.environment else ""
    return Message(
        what=f"The chart {chart.path} does not pass: {count}.",
        why=f"The first{where}: {first.message}",
        next=f"{first.fix} The report lists every finding. Accept one under chart.checks.silence, with a reason;"
        f" --explain {first.rule} describes the rule.",
    )
