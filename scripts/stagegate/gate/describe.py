"""Composes the evidence of a gate, and the payload of its deployment. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from stagegate.errors import Stop
from stagegate.gate.command_checks import folded
from stagegate.gate.trial import Seen
from stagegate.gate.verdict import Conclusion
from stagegate.markdown import plain
from stagegate.model import Content, Evidence, EvidenceKind, PromotedBy, Release, Skip, WorkflowRun, to_json

PAYLOAD_LIMIT = 16 * 1024  # bytes of JSON


def evidence(
    release: Release,
    environment: str,
    kind: EvidenceKind,
    conclusion: Conclusion,
    trial: Seen | None,
    *,
    started: str,
    finished: str,
    run: WorkflowRun,
    actor: str,
    policy: str,
    files: str = "",
    promotion: PromotedBy | None = None,
    reason: str = "",
) -> Evidence:
    """The record of a verdict; `content` is `compared` only when a comparison found no difference."""
    checks = folded(trial.checks) if trial else ()
    compared = any(c.name == "content" and c.outcome == "passed" for c in checks)
    content: Content = "compared" if compared else "not-comparable"
    applications = trial.rollout.seen if trial and trial.rollout else ()
    return Evidence(
        kind=kind,
        app=release.app,
        environment=environment,
        outcome=conclusion.outcome,
        reason=conclusion.reason,
        version=release.version,
        tag=release.tag,
        commit=release.commit,
        chart=release.chart,
        images=release.images,
        configuration=trial.configuration if trial else "",
        content=content,
        application=applications[0] if applications else None,
        checks=checks,
        started=started,
        finished=finished,
        run=run,
        actor=actor,
        policy=policy,
        files=files,
        promotion=promotion,
        skip=Skip(reason=plain(reason), actor=actor) if kind == "skip" else None,
    )


def payload(evidence: Evidence) -> dict[str, Any]:
    """The payload of a deployment. Details of checks give way when it would be over 16 KiB."""
    for room in (400, 80, 0):
        checks = tuple(msgspec.structs.replace(c, detail=c.detail[:room]) for c in evidence.checks)
        document = to_json(msgspec.structs.replace(evidence, checks=checks))
        if len(document) <= PAYLOAD_LIMIT:
            return dict(msgspec.json.decode(document))
    raise Stop(
        "bad-settings",
        f"The evidence of the gate is {len(document)} bytes long.",
        f"GitHub accepts at most {PAYLOAD_LIMIT} bytes. The evidence lists {len(evidence.images)} "
        f"images and {len(evidence.checks)} checks.",
        "Combine checks, so that the gate has fewer of them.",
    )
