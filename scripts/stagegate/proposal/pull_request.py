"""The pull request of a promotion: opened or updated, with its labels and reviewers."""

from __future__ import annotations

from collections.abc import Iterable

from stagegate.clients import hub
from stagegate.model import Change, PullRequestText, digest_of
from stagegate.policy.facts import PromotionFacts
from stagegate.proposal.body import settled
from stagegate.runner import log


def open_or_update(
    pins: hub.Hub, facts: PromotionFacts, text: PullRequestText
) -> tuple[int, str, list[Change]]:
    """The open pull request of the branch with this text."""
    existing = facts.proposal
    if existing is not None:
        digest = digest_of(settled(log.redact(text.body)).encode())
        if facts.branch_equal and (existing.title, existing.said) == (text.title, digest):
            return existing.number, existing.url, []
        pins.update_pull(existing.number, title=text.title, body=text.body)
        now = pins.pull(existing.number)
        if now is not None and now.state == "open":
            change = Change(
                kind="pull-request", target=f"#{existing.number}", before=existing.title, after=text.title
            )
            return existing.number, existing.url, [change]
        if now is not None and now.merged:
            raise hub.StaleHead(facts.base, f"#{existing.number} was merged in the meantime.")
    draft = facts.policy_of(facts.environment).promotion.draft and facts.mode != "rollback"
    opened = pins.open_pull(text.title, text.body, facts.branch, facts.base, draft)
    if opened is None:
        raise hub.StaleHead(facts.base, f"{facts.branch} has no changes against {facts.base}.")
    return (
        opened.number,
        opened.url,
        [Change(kind="pull-request", target=f"#{opened.number}", after=text.title)],
    )


def add_labels(
    pins: hub.Hub, number: int, wanted: Iterable[str], existing: Iterable[str]
) -> tuple[Change, ...]:
    """Add the labels that a pull request does not have yet."""
    labels = tuple(label for label in wanted if label not in existing)
    if not labels:
        return ()
    pins.add_labels(number, labels)
    return (Change(kind="labels", target=f"#{number}", after=", ".join(labels)),)


def about_author(pins: hub.Hub, facts: PromotionFacts) -> list[str]:
    """What the kind of token means for a pull request that it has written."""
    if facts.actions_token:
        return [
            "The pull request was opened with GITHUB_TOKEN, so its workflows wait until a person approves "
            "their run"
        ]
    own = pins.viewer()
    return (
        [f"{own.login} wrote the pull request, so {own.login} cannot approve the pull request"]
        if own.kind == "User"
        else []
    )


def request_reviews(pins: hub.Hub, number: int, reviewers: tuple[str, ...]) -> list[str]:
    """Ask for reviews; who cannot be asked is a note, the pull request stands. `org/team` is a team."""
    users = [name for name in reviewers if "/" not in name]
    teams = [name.rpartition("/")[2] for name in reviewers if "/" in name]
    refused = pins.request_reviewers(number, users, teams) if reviewers else []
    for who in refused:
        log.annotate("warning", f"no review could be requested from {who}", title="promote-pr: reviewers")
    return [f"no review could be requested from {who}" for who in refused]
