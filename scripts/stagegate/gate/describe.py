"""The evidence of a gate, put together. Pure."""

from __future__ import annotations

from stagegate.gate.command_checks import folded
from stagegate.gate.trial import Seen
from stagegate.gate.verdict import KINDS, Conclusion, Mode
from stagegate.model import Content, Evidence, Release, Skip, WorkflowRun
from stagegate.report.markdown import plain


def evidence(
    release: Release,
    environment: str,
    mode: Mode,
    conclusion: Conclusion,
    seen: Seen | None,
    *,
    started: str,
    finished: str,
    run: WorkflowRun,
    actor: str,
    policy: str,
    reason: str = "",
) -> Evidence:
    """The record of a verdict; `content` is `compared` only when a comparison found no difference."""
    checks = folded(seen.checks) if seen else ()
    compared = any(c.name == "content" and c.outcome == "passed" for c in checks)
    content: Content = "compared" if compared else "not-comparable"
    applications = seen.rollout.seen if seen and seen.rollout else ()
    return Evidence(
        kind=KINDS[mode],
        app=release.app,
        environment=environment,
        outcome=conclusion.outcome,
        reason=conclusion.reason,
        version=release.version,
        tag=release.tag,
        commit=release.commit,
        chart=release.chart,
        images=release.images,
        configuration=seen.configuration if seen else "",
        content=content,
        application=applications[0] if applications else None,
        checks=checks,
        started=started,
        finished=finished,
        run=run,
        actor=actor,
        policy=policy,
        skip=Skip(reason=plain(reason), actor=actor) if mode == "skip" else None,
    )
