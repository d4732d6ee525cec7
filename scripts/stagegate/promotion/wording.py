"""The words of a proposal: title, body, labels and reviewers, from facts and decision."""

from __future__ import annotations

from stagegate.model import PullRequestText
from stagegate.promotion.facts import Reading
from stagegate.promotion.plan import Decision
from stagegate.report.markdown import plain


def proposal(reading: Reading, decision: Decision, run_url: str) -> PullRequestText | None:
    """What the pull request says; None where none is written."""
    facts, subject = reading.facts, reading.facts.subject
    if subject is None or decision.write != "propose":
        return None
    policy = facts.policy_of(subject.environment).promotion
    verb = "Roll back" if subject.kind == "rollback" else "Promote"
    return PullRequestText(
        branch=facts.branch,
        base=facts.base,
        title=plain(f"{verb} {facts.app} {subject.version} to {subject.environment}"),
        body=f"{verb} {facts.app} from {subject.before} to {subject.version}. {run_url}",
        labels=policy.labels,
        reviewers=policy.reviewers,
    )
