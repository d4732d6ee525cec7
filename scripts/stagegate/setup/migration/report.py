"""Reports the result of migrate: what Argo CD would change."""

from __future__ import annotations

import json

import msgspec

from stagegate.model import Finding, Message, Result
from stagegate.report.render import render
from stagegate.runner import log
from stagegate.setup.migration.to_helm import HelmMove, MoveComparison


def result(move: HelmMove, compared: MoveComparison) -> Result:
    """`findings` where the overlay is broken or a sync would lose data, else `verified` or `reported`."""
    findings = compared.broken or tuple(
        Finding(
            rule=risk.kind,
            severity="error" if risk in compared.dangerous else "warning",
            object=risk.object,
            message=f"{risk.object} {risk.detail}.",
            fix="Give the object the same kind, name and selector in the chart, or let a person move "
            "the data of the object first.",
        )
        for risk in compared.risks
    )
    for finding in findings:
        log.say(f"{finding.severity}: {finding.message}")
        log.say(f"  -> {finding.fix}")
    summary = "" if compared.broken else render("migrate.md.j2", move=move, result=compared)
    if summary:
        log.say(summary)
    return Result(
        reason=_reason(compared),
        message=_message(move, compared),
        outputs={"findings": json.dumps([msgspec.to_builtins(finding) for finding in findings])},
        summary=summary,
        findings=findings,
    )


def _reason(compared: MoveComparison) -> str:
    if compared.broken or compared.dangerous:
        return "findings"
    return "reported" if compared.difference.changes else "verified"


def _message(move: HelmMove, compared: MoveComparison) -> Message:
    if compared.broken:
        first = compared.broken[0]
        return Message(
            what=f"{move.kustomization} does not build.",
            why=first.message,
            next=f"{first.fix} Then run migrate again.",
        )
    changes = compared.difference.changes
    if not changes:
        return Message(what=f"{move.chart} renders the same objects as {move.kustomization}.")
    counts = f"Pruning would delete {len(compared.deleted)}. In total, {len(changes)} objects differ."
    if compared.dangerous:
        first_risk = compared.dangerous[0]
        return Message(
            what=f"A sync would break {first_risk.object}.",
            why=f"{first_risk.object} {first_risk.detail}. {counts}",
            next="Correct the chart, and run migrate again before the Application deploys the chart.",
        )
    return Message(what=f"{move.chart} differs from {move.kustomization}.", why=counts)
