"""Doctor's result: a table of findings with their fixes, and the checks that could not run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import msgspec

from stagegate.model import Calls, Finding, Message, Result
from stagegate.report.render import render
from stagegate.runner import log


def show(findings: Sequence[Finding], not_asked: Mapping[str, Sequence[str]]) -> None:
    """The findings for a person at a terminal, each with its cure."""
    for one in findings:
        where = f" ({one.file}{f':{one.line}' if one.line else ''})" if one.file else ""
        log.say(f"{one.severity}: {one.rule}: {one.message}{where}")
        for text in (one.why, f"-> {one.fix}"):
            if text:
                log.say(f"  {text}")
    for why, names in not_asked.items():
        log.say(f"not asked: {', '.join(names)}: {why}")


def result(
    findings: Sequence[Finding], not_asked: Mapping[str, Sequence[str]], apps: Sequence[str], calls: Calls
) -> Result:
    """Exit 2 where something will break."""
    worst = [one for one in findings if one.severity == "error"]
    others = len([one for one in findings if one.severity == "warning"])
    unknown = f" {sum(map(len, not_asked.values()))} checks could not be made." if not_asked else ""
    if worst:
        message = Message(
            what=f"{len(worst)} {'thing' if len(worst) == 1 else 'things'} will break.",
            why=f"The first: {worst[0].message}{unknown}",
            next=worst[0].fix,
        )
    else:
        message = Message(
            what=f"doctor found nothing that will break.{unknown}",
            next=f"Check the {others} warnings, too." if others else "",
        )
    return Result(
        reason="bad-settings" if worst else "verified",
        message=message,
        outputs={"findings": json.dumps([msgspec.to_builtins(one) for one in findings])},
        summary=render("doctor.md.j2", findings=findings, not_asked=not_asked),
        app=apps[0] if len(apps) == 1 else "",
        findings=tuple(findings),
        calls=calls,
    )
