"""stagegate's branch: rebuilt on a helper branch, moved in one step, never over others' work (I7)."""

from __future__ import annotations

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.markdown import plain
from stagegate.model import Change, branch_names
from stagegate.policy.facts import PromotionFacts, Proposal, Subject
from stagegate.policy.rules import risk
from stagegate.proposal import commit_record
from stagegate.runner import log


def message(subject: Subject, app: str, run: str) -> tuple[str, str]:
    """Headline and body of our commit; the trailers are what later runs read."""
    verb = "roll back" if subject.kind == "rollback" else "promote"
    headline = f"chore({subject.environment}): {verb} {app} to {subject.version}"
    moved = f"From {subject.before or 'nothing'} to {subject.version}."
    record = commit_record.release(app, subject.version, subject.environment, run, subject.carried)
    return plain(headline), f"{moved}\n\n{record}"


def replace(pins: hub.Hub, facts: PromotionFacts, subject: Subject, run: str) -> str:
    """Make the commit beside the branch, then move the branch to it in one step that also ends the helper.

    A branch that equals its base, even for a moment, closes its pull request.
    """
    helper = f"refs/heads/{branch_names.promotion_helper(facts.app, facts.environment)}"
    _helper(pins, helper, facts.base_head)
    headline, body = message(subject, facts.app, run)
    short = helper.removeprefix("refs/heads/")
    try:
        sha = pins.create_commit(short, facts.base_head, headline, body, dict(subject.files))
    except hub.Refused as refusal:
        if pins.head(short) is None:  # another run was here, finished, and took the helper away
            raise hub.StaleHead(helper, "A different run has just used the helper branch.") from refusal
        raise
    moves = [
        hub.RefUpdate(
            name=f"refs/heads/{facts.branch}", before=facts.branch_head or hub.ZERO, after=sha, force=True
        ),
        hub.RefUpdate(name=helper, before=sha, after=hub.ZERO, force=True),
    ]
    try:
        pins.update_refs(moves)
    except hub.StaleHead:
        _tidy(pins, helper, sha)
        raise
    return sha


def _tidy(pins: hub.Hub, helper: str, sha: str) -> None:
    """After a lost race, take our helper away, if it is still ours."""
    try:
        pins.update_refs([hub.RefUpdate(name=helper, before=sha, after=hub.ZERO, force=True)])
    except Stop:
        log.say(f"The helper branch {helper} could not be deleted. The next promotion uses {helper} again.")


def _helper(pins: hub.Hub, helper: str, base: str) -> None:
    """The helper branch at the base; one that a killed run left behind is set back."""
    try:
        pins.create_ref(helper, base)
    except hub.StaleHead:
        left = pins.head(helper.removeprefix("refs/heads/"))
        pins.update_refs([hub.RefUpdate(name=helper, before=left or hub.ZERO, after=base, force=True)])


def withdraw(pins: hub.Hub, existing: Proposal, subject: Subject) -> list[Change]:
    """What was agreed to was another change: no auto-merge, approvals or risk labels when it is replaced."""
    changes = []
    if existing.auto_merge:
        pins.disable_auto_merge(existing.node_id)
        changes.append(Change(kind="auto-merge", target=f"#{existing.number}", before="on", after="off"))
    for review in existing.reviews:
        why = (
            f"{subject.version} replaces the change that was approved. An approval counts only for the "
            "commit that the reviewer approved."
        )
        pins.dismiss_review(existing.number, review, why)
        changes.append(
            Change(kind="review", target=f"#{existing.number}", before="approved", after="dismissed")
        )
    for label in existing.labels:
        if label.startswith(risk.PREFIX):
            pins.remove_label(existing.number, label)
            changes.append(Change(kind="label", target=f"#{existing.number}", before=label))
    return changes
