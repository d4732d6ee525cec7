"""Doctor's result: a table of findings with their fixes, and the checks that could not run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import msgspec

from stagegate.model import Calls, Finding, Message, Result
from stagegate.report.render import render
from stagegate.runner import log


def show(findings: Sequence[Finding], not_checked: Mapping[str, Sequence[str]]) -> None:
    """The findings for a person at a terminal, each with its cure."""
    for finding in findings:
        where = f" ({finding.file}{f':{finding.line}' if finding.line else ''})" if finding.file else ""
        log.say(f"{finding.severity}: {finding.rule}: {finding.message}{where}")
        for text in (finding.why, f"-> {finding.fix}"):
            if text:
                log.say(f"  {text}")
    for why, names in not_checked.items():
        log.say(f"not checked: {', '.join(names)}: {why}")


def result(
    findings: Sequence[Finding], not_checked: Mapping[str, Sequence[str]], apps: Sequence[str], calls: Calls
) -> Result:
    """The result: exit code 2 if there is an error."""
    worst = [finding for finding in findings if finding.severity == "error"]
    warnings = len([finding for finding in findings if finding.severity == "warning"])
    unknown = f" {sum(map(len, not_checked.values()))} checks could not be made." if not_checked else ""
    if worst:
        message = Message(
            what=f"{len(worst)} {'thing' if len(worst) == 1 else 'things'} will break.",
            why=f"The first: {worst[0].message}{unknown}",
            next=worst[0].fix,
        )
    else:
        message = Message(
            what=f"doctor found nothing that will break.{unknown}",
            next=f"Check the {'warning' if warnings == 1 else f'{warnings} warnings'}, too."
            if warnings
            else "",
        )
    return Result(
        reason="bad-settings" if worst else "verified",
        message=message,
        outputs={"findings": json.dumps([msgspec.to_builtins(finding) for finding in findings])},
        summary=render("doctor.md.j2", findings=findings, not_checked=not_checked),
        app=apps[0] if len(apps) == 1 else "",
        findings=tuple(findings),
        calls=calls,
    )
