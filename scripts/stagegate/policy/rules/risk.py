"""risk: a change of a risky class needs the label that names it, given by a person on the pull request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from stagegate.difference.change import RiskSeen
from stagegate.model import RuleResult
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "risk"
PREFIX = "stagegate/risk:"


def missing(risks: Iterable[RiskSeen], labels: Sequence[str]) -> tuple[str, ...]:
    """The missing labels of risky classes, `stagegate/risk:<kind>`."""
    wanted = dict.fromkeys(PREFIX + risk.kind for risk in risks)
    return tuple(label for label in wanted if label not in labels)


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """Stop until every class has its label; unknown when the difference could not be made."""
    if subject.render_trouble:
        return RuleResult(rule=NAME, state="unknown", detail=subject.render_trouble)
    if wanted := missing(subject.risks, subject.labels):
        what = "; ".join(f"{risk.object}: {risk.detail}" for risk in subject.risks[:3])
        return RuleResult(
            rule=NAME,
            state="stop",
            # A status has room for 140 characters, and the object comes last.
            detail=f"needs the label {', '.join(wanted)}, set after the last push ({what})",
        )
    if subject.risks:
        return RuleResult(rule=NAME, state="pass", detail="every risky change has its label")
    detail = (
        "no risky change"
        if subject.rendered
        else f"the change was not rendered, so its risk is unknown: {subject.render_note}"
    )
    return RuleResult(rule=NAME, state="pass", detail=detail)


RULE = Rule(
    name=NAME,
    title="Every kind of risky change has its label",
    rank=130,
    kinds=frozenset({"promote", "configure"}),
    check=check,
    reason="risky-change",
    cure="Review the change and set the label on the pull request, or set an override of `risk` for "
    "{environment}.",
    proposable=True,
)
