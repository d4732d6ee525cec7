"""The gate's result for runner, report and summary. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from stagegate.errors import Stop
from stagegate.evidence.records import Record
from stagegate.gate.facts import Facts, Objection
from stagegate.gate.intent import Intent
from stagegate.gate.trial import Seen
from stagegate.gate.verdict import Conclusion, Mode
from stagegate.model import Calls, Change, Evidence, Message, Result, to_json
from stagegate.report.render import render

_RAW_LIMIT = 60_000  # characters of a document in the summary
_SENSITIVE = ("managedFields", "kubectl.kubernetes.io/last-applied-configuration")


def result(
    facts: Facts,
    conclusion: Conclusion,
    evidence: Evidence,
    tried: Seen | None,
    *,
    deployment: int = 0,
    changes: tuple[Change, ...] = (),
    calls: Calls,
    reason: str = "",
) -> Result:
    """The result of a gate with a verdict; `reason` replaces its reason (`already-passed`)."""
    word = reason or conclusion.reason
    failed = evidence.outcome == "failed"
    documents = tried.rollout.documents if tried and tried.rollout and failed else ()
    summary = render(
        "gate.md.j2",
        checks=evidence.checks,
        commit=evidence.commit,
        chart=evidence.chart,
        images=evidence.images,
        applications=tried.rollout.seen if tried and tried.rollout else (),
        content=evidence.content,
        trust=facts.trust,
        raw=raw(documents),
    )
    return Result(
        reason=word,
        message=conclusion.message,
        outputs=outputs(evidence, deployment),
        summary=summary,
        app=evidence.app,
        environment=evidence.environment,
        version=evidence.version,
        trust=facts.trust,
        changes=changes,
        checks=evidence.checks,
        evidence=evidence,
        calls=calls,
    )


def proven(facts: Facts, record: Record, calls: Calls) -> Result:
    """The result of an unneeded gate: the release is proven, and nothing relevant has changed."""
    evidence = record.evidence
    assert evidence is not None  # noqa: S101  only readable records prove anything
    where = f"{evidence.app} {evidence.version} in {evidence.environment}"
    why = f"The gate passed at {record.since} for exactly these digests, and nothing relevant to it has changed."
    conclusion = Conclusion(
        outcome="passed",
        reason="passed",
        message=Message(what=f"{where} has already passed the gate.", why=why),
    )
    return result(
        facts, conclusion, evidence, None, deployment=record.id, calls=calls, reason="already-passed"
    )


def busy(facts: Facts, run: str, calls: Calls) -> Result:
    """The result of a gate that another run runs, because it changed the pin."""
    release, environment = facts.release, facts.environment.name
    message = Message(
        what=f"A different run is running the gate of {release.app} {release.version} in {environment}.",
        why=f"Run {run} changed the pin, is still running, and runs the gate itself.",
        next=f"Nothing to do: run {run} gives the verdict.",
    )
    return Result(
        reason="already-running",
        message=message,
        outputs={"version": release.version, "evidence": "", "deployment": "", "rollback": ""},
        app=release.app,
        environment=environment,
        version=release.version,
        trust=facts.trust,
        calls=calls,
    )


def left(facts: Facts, stop: Stop, changes: tuple[Change, ...], calls: Calls, *, fails: bool) -> Result:
    """The result of a gate that ends before its verdict; another run reaches it. `fails`: the step fails."""
    return Result(
        reason=stop.reason,
        message=Message(what=stop.what, why=stop.why, next=stop.next),
        outputs={"version": facts.release.version, "evidence": "", "deployment": "", "rollback": ""},
        app=facts.release.app,
        environment=facts.environment.name,
        version=facts.release.version,
        trust=facts.trust,
        changes=changes,
        calls=calls,
        fails=fails,
    )


def objected(facts: Facts, objection: Objection, calls: Calls) -> Result:
    """The result of a gate that does not test: a pass would hide that the pin violates a rule."""
    finding = objection.finding
    message = Message(what=finding.message, why=finding.why, next=finding.fix)
    return Result(
        reason=objection.reason,
        message=message,
        outputs={"version": finding.object, "evidence": "", "deployment": "", "rollback": ""},
        summary=render("gate_objection.md.j2", trust=facts.trust),
        app=facts.release.app,
        environment=finding.environment,
        version=finding.object,
        trust=facts.trust,
        findings=(finding,),
        calls=calls,
    )


def failed(result: Result) -> bool:
    """Whether a recorded verdict says that the release failed here."""
    evidence = result.evidence
    return evidence is not None and evidence.outcome == "failed" and evidence.reason == result.reason


def with_rollback_of(result: Result, rollback: Result) -> Result:
    """The result of a failed gate with the result of its rollback."""
    outcome = f"Rollback: {rollback.message.what} {rollback.message.why}".strip()
    joint = _with_rollback(result, outcome, rollback.outputs.get("pr-url", ""), rollback.changes)
    return msgspec.structs.replace(joint, parts=(result, rollback))


def without_rollback(result: Result, stop: Stop) -> Result:
    """The result of a failed gate with the reason why no rollback could be proposed."""
    outcome = f"stagegate could not propose a rollback: {stop.what} {stop.why} {stop.next}"
    return _with_rollback(result, outcome, "", ())


def _with_rollback(result: Result, outcome: str, url: str, changes: tuple[Change, ...]) -> Result:
    message = msgspec.structs.replace(result.message, next=f"{result.message.next} {outcome}".strip())
    return msgspec.structs.replace(
        result,
        message=message,
        outputs={**result.outputs, "rollback": url},
        changes=(*result.changes, *changes),
    )


def unrecorded(result: Result, stop: Stop) -> Result:
    """The result of a verdict that could not be recorded: it is in outputs and report, but is not evidence."""
    message = Message(
        what=f"{result.message.what} stagegate could not write the evidence.",
        why=f"{stop.what} {stop.why}",
        next=f"{stop.next} The verdict is in the output `evidence` and in the report; run the gate again to "
        "record it.",
    )
    return msgspec.structs.replace(result, reason=stop.reason, message=message)


def outputs(evidence: Evidence, deployment: int) -> dict[str, str]:
    """The action's own outputs."""
    return {
        "evidence": to_json(evidence).decode(),
        "version": evidence.version,
        "deployment": str(deployment or ""),
        "rollback": "",
    }


def planned(facts: Facts, mode: Mode, intent: Intent, changes: tuple[Change, ...], calls: Calls) -> Result:
    """The steps of a gate, for a dry run."""
    release, environment = facts.release, facts.environment
    argocd = environment.argo
    waits = ", ".join(argocd.applications) or argocd.selector or "the service itself"
    tests = environment.gate.scenarios or " ".join(environment.gate.command) or "nothing"
    word = "a look, because nothing changed since the last verdict" if intent.kind == "look" else mode
    what = f"The gate ({word}) would test {release.app} {release.version} in {environment.name}."
    remaining = ""
    if intent.do == "complete":
        remaining = (
            " This release has already passed the gate."
            if intent.already
            else " This run would complete the record of an earlier attempt."
        )
    runs = f" and run {tests}" if mode in ("wait", "look") else ", but run no tests"
    why = f"It would wait for {waits} up to {facts.timeout:.0f} s{runs}.{remaining}"
    if facts.objection:
        finding = facts.objection.finding
        what, why = "The gate would refuse this release.", f"{finding.message} {finding.why}"
    if mode == "skip":
        what, why = f"The gate of {release.app} {release.version} in {environment.name} would be skipped.", ""
    return Result(
        reason="planned",
        message=Message(what=what, why=why),
        outputs={"evidence": "", "version": release.version, "deployment": "", "rollback": ""},
        app=release.app,
        environment=environment.name,
        version=release.version,
        dry_run=True,
        trust=facts.trust,
        changes=changes,
        calls=calls,
    )


def raw(documents: tuple[Mapping[str, Any], ...]) -> str:
    """Application documents for people, without possible secrets and within the limit of a summary."""
    texts = [json.dumps(_shown(document), indent=1, ensure_ascii=False) for document in documents if document]
    return "\n".join(texts)[:_RAW_LIMIT]


def _shown(value: Any, key: str = "") -> Any:
    """The document with values of Helm replaced, because they may contain passwords."""
    if isinstance(value, Mapping):
        if key == "helm":
            return {
                k: _shown(v, k) if k in ("valueFiles", "releaseName") else "(not shown)"
                for k, v in value.items()
            }
        return {k: _shown(v, str(k)) for k, v in value.items() if k not in _SENSITIVE}
    if isinstance(value, list | tuple):
        return [_shown(item, key) for item in value]
    return value
