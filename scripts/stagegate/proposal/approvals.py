"""Who approved a pull request: reviews that are valid for exactly its head."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stagegate.clients import hub
from stagegate.policy.facts import Approvals, Kind
from stagegate.policy.rules.approvals import merges_itself
from stagegate.proposal import authors, names
from stagegate.settings import Environment

_DECISIONS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")


def valid(reviews: Iterable[hub.Review]) -> tuple[hub.Review, ...]:
    """The newest review of each person, where it approves; a later objection or dismissal takes it back."""
    newest: dict[tuple[str, int], hub.Review] = {}
    for review in reviews:
        if review.author is not None and review.state.upper() in _DECISIONS:
            newest[review.author.kind, review.author.id] = review
    return tuple(review for review in newest.values() if review.state.upper() == "APPROVED")


def people(reviews: Iterable[hub.Review], pull: hub.Pull) -> tuple[str, ...]:
    """Logins of people who approved exactly this head, may write, and did not open it. Approvals by bots do not
    count."""
    return tuple(
        review.author.login
        for review in reviews
        if review.author is not None
        and review.author.kind == "User"
        and review.can_push
        and review.commit == pull.head_sha
        and not review.author.same(pull.author)
    )


def is_merged_by_stagegate(pins: hub.Hub, pull: hub.Pull, app: str, environment: Environment) -> bool:
    """Whether a pull request comes from a promotion or rollback branch of ours that stagegate merges."""
    if pull.head_repository != pins.repository:
        return False
    kinds: dict[str, Kind] = {
        names.promotion(app, environment.name): "promote",
        names.rollback(app, environment.name): "rollback",
    }
    kind = kinds.get(pull.head_ref)
    return kind is not None and merges_itself(environment, kind)


def given(
    pins: hub.Hub,
    pull: hub.Pull,
    reviews: Sequence[hub.Review],
    compared: hub.Comparison,
    app: str,
    environment: Environment,
    pin_files: Iterable[str],
) -> Approvals:
    """The approvals of a pull request for one environment of an app.

    Authors of its commits are not counted. Where GitHub does not know the author of a commit, nobody's approval
    counts, because it may be anybody's.
    """
    foreign = authors.strangers(pins, compared.commits, app, environment.name)
    others = [r for r in reviews if not any(c.author is None or c.author.same(r.author) for c in foreign)]
    by_us = is_merged_by_stagegate(pins, pull, app, environment)
    return Approvals(
        people=people(others, pull),
        merged_by_stagegate=by_us,
        contains_others_work=by_us and (bool(foreign) or not set(compared.files) <= set(pin_files)),
    )
