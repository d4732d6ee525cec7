"""Reports the result of helm-publish."""

from __future__ import annotations

from stagegate.chart.publish.plan import ChartPublication, ChartReleaseFacts
from stagegate.model import Calls, Change, Message, Result
from stagegate.report.render import render

_NO_CALLS = Calls()


def result(
    facts: ChartReleaseFacts,
    decided: ChartPublication,
    changes: tuple[Change, ...],
    *,
    dry_run: bool,
    calls: Calls = _NO_CALLS,
) -> Result:
    """The result: outputs, message and summary. Without a chart, `chart` and `reference` are empty."""
    reason = "planned" if decided.reason == "published" and dry_run else decided.reason
    return Result(
        reason=reason,
        message=_message(facts, decided, reason),
        outputs={
            "chart": facts.chart,
            "version": facts.version,
            "digest": decided.digest,
            "reference": f"{facts.reference}@{decided.digest}" if facts.chart and decided.digest else "",
            "pushed": str(reason == "published").lower(),
        },
        summary=render("helm_publish.md.j2", facts=facts, plan=decided),
        app=facts.app,
        version=facts.version,
        dry_run=dry_run,
        changes=changes,
        findings=facts.findings,
        calls=calls,
    )


def _message(facts: ChartReleaseFacts, decided: ChartPublication, reason: str) -> Message:
    if reason == "published":
        return Message(
            what=f"{facts.reference} is published.", why=f"The digest of the chart is {decided.digest}."
        )
    if reason == "planned":
        return Message(what=f"{facts.reference} would be published.", why=f"As {decided.digest}.")
    if reason == "already-published":
        return Message(
            what=f"{facts.reference} is already published.",
            why=f"The published chart has the same content. The digest of the chart is {decided.digest}.",
        )
    count = "one error" if len(decided.errors) == 1 else f"{len(decided.errors)} errors"
    first = decided.errors[0]
    return Message(
        what=f"{facts.reference} is not published: the checks found {count}.",
        why=f"{first.file}: {first.message} {first.why}".strip(),
        next="Correct the findings, then run the job again. The report lists every finding.",
    )
