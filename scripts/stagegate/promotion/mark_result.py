"""The result of a run that set a mark or judged open promotions again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from stagegate.errors import VERDICTS
from stagegate.model import Calls, Change, Finding, Message, OpenProposal, Result, RuleResult
from stagegate.promotion import audit_pins, combined_result
from stagegate.promotion.app_state import AppState
from stagegate.promotion.reevaluate import Evaluated
from stagegate.promotion.result import NO_CALLS, OUTPUTS
from stagegate.report.render import render


class MarkOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a mark: the request, the changes, and the open promotions. `what`: the mark in words.

    `pushed`: a commit on the default branch started this, so what it brought without evidence is refused.
    """

    mode: str
    environment: str
    version: str
    what: str
    changes: tuple[Change, ...]
    evaluated: tuple[Evaluated, ...]
    findings: tuple[Finding, ...]
    pushed: bool = False

    @property
    def unproven(self) -> tuple[Finding, ...]:
        """Pins that name a release without evidence."""
        return tuple(finding for finding in self.findings if finding.rule in audit_pins.REASONS)


def result(
    state: AppState,
    outcome: MarkOutcome,
    *,
    dry_run: bool = False,
    fail_on_waiting: bool = False,
    calls: Calls = NO_CALLS,
) -> Result:
    """The result of a mark or of an evaluation. Its reason is the mark's, which was requested."""
    reason = _reason(outcome, dry_run)
    changes = (*outcome.changes, *(change for one in outcome.evaluated for change in one.changes))
    first = outcome.evaluated[0] if outcome.evaluated else None
    message = _message(outcome, reason)
    outputs = dict.fromkeys(OUTPUTS, "") | {
        "changed": str(any(change.done for change in changes)).lower(),
        "environment": outcome.environment,
        "version": outcome.version,
        "pr-number": str(first.pull.number) if first else "",
        "pr-url": first.pull.url if first else "",
        "commit": next((one.commit for one in outcome.evaluated if one.commit), ""),
        "next-at": min((one.verdict.next_at for one in outcome.evaluated if one.verdict.next_at), default=""),
    }
    summary = render(
        "promote_pr_marks.md.j2",
        told=outcome,
        trust=state.settings.trust.level,
    )
    return Result(
        reason=reason,
        message=message,
        outputs=outputs,
        summary=summary,
        fails=fail_on_waiting and VERDICTS[reason].outcome == "waiting",
        app=state.settings.app,
        environment=outcome.environment,
        version=outcome.version,
        dry_run=dry_run,
        trust=state.settings.trust.level,
        changes=changes,
        findings=outcome.findings,
        rules=tuple(_rules(outcome.evaluated)),
        calls=calls,
        parts=tuple(_refusals(state, outcome)) if not dry_run else (),
        proposals=tuple(_open(state, outcome.evaluated)),
    )


def _reason(outcome: MarkOutcome, dry_run: bool) -> str:
    if (trouble := [one.stop for one in outcome.evaluated if one.stop]) and not dry_run:
        return min((stop.reason for stop in trouble), key=combined_result.badness)
    if dry_run:
        return "planned"
    if outcome.mode != "evaluate":
        return "unmarked" if outcome.mode.startswith("un") else "marked"
    if outcome.pushed and outcome.unproven:
        return audit_pins.REASONS[outcome.unproven[0].rule]
    reasons = {one.reason for one in outcome.evaluated}
    if not reasons:
        return "no-difference"
    return min(sorted(reasons), key=combined_result.badness)


def _message(outcome: MarkOutcome, reason: str) -> Message:
    each = " ".join(
        f"#{one.pull.number} for {one.environment}: {one.reason}, status {one.verdict.state} "
        f"({one.verdict.description})."
        for one in outcome.evaluated
    )
    stop = next((one.stop for one in outcome.evaluated if one.stop), None)
    next_ = stop.next if stop else ""
    if outcome.mode == "evaluate":
        what = (
            f"{len(outcome.evaluated)} open promotion(s) checked again." if each else "No promotion is open."
        )
        if outcome.changes:
            what += (
                " An earlier run was interrupted before it started the workflow that verifies the "
                "change, so this run started the workflow."
            )
        if outcome.unproven:
            named = " ".join(f"{finding.message} {finding.why}" for finding in outcome.unproven)
            return Message(what=f"{what} {named}", why=each, next=outcome.unproven[0].fix)
        return Message(what=what, why=each, next=next_)
    state = "" if outcome.changes else " Nothing changed, because an earlier run had already done the same."
    verb = "would be: " if reason == "planned" else ""
    return Message(what=f"{verb}{outcome.what}.{state}", why=each, next=next_)


def _refusals(state: AppState, outcome: MarkOutcome) -> Iterator[Result]:
    """Pushed releases without evidence, one result for each environment."""
    for finding in outcome.unproven if outcome.pushed else ():
        yield Result(
            reason=audit_pins.REASONS[finding.rule],
            message=Message(what=finding.message, why=finding.why, next=finding.fix),
            app=state.settings.app,
            environment=finding.environment,
            version=finding.object,
        )


def _open(state: AppState, evaluated: Iterable[Evaluated]) -> Iterator[OpenProposal]:
    """What is still open after this evaluation."""
    for one in evaluated:
        subjects = [judged.subject for judged in one.judgement.environments]
        if one.reason == "merged" or one.stop or not subjects:
            continue
        yield OpenProposal(
            app=state.settings.app,
            environment=one.environment,
            version=subjects[0].version,
            number=one.pull.number,
            url=one.pull.url,
            branch=one.pull.head_ref,
            head=one.pull.head_sha,
            status=f"{one.verdict.state}: {one.verdict.description}",
        )


def _rules(evaluated: Iterable[Evaluated]) -> Iterable[RuleResult]:
    for one in evaluated:
        for judged in one.judgement.environments:
            yield from judged.rules
