"""Who approved a pull request: reviews that are valid for exactly its head."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stagegate.clients import hub
from stagegate.evidence.records import is_accepted
from stagegate.model import Actor, branch_names
from stagegate.policy.facts import Approvals, Kind
from stagegate.policy.rules.approvals import merges_itself
from stagegate.proposal import authors
from stagegate.settings import Environment

FILES_LISTED = 300  # by GitHub in a comparison
_DECISIONS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")


def valid(reviews: Iterable[hub.Review]) -> tuple[hub.Review, ...]:
    """The newest review of each person, where it approves; a later objection or dismissal takes it back."""
    newest: dict[tuple[str, int], hub.Review] = {}
    for review in reviews:
        if review.author is not None and review.state.upper() in _DECISIONS:
            newest[review.author.kind, review.author.id] = review
    return tuple(review for review in newest.values() if review.state.upper() == "APPROVED")


def people(
    reviews: Iterable[hub.Review], pull: hub.Pull, others: Iterable[Actor | None] = ()
) -> tuple[str, ...]:
    """Logins of people who approved exactly this head and may write. Neither who opened it nor `others` (authors of
    its commits, and who pushed it) count, and no bot does."""
    involved = [actor for actor in (pull.author, *others) if actor is not None]
    return tuple(
        review.author.login
        for review in reviews
        if review.author is not None
        and review.author.kind == "User"
        and review.can_push
        and review.commit == pull.head_sha
        and not any(review.author.same(actor) for actor in involved)
    )


def is_merged_by_stagegate(pins: hub.Hub, pull: hub.Pull, app: str, environment: Environment) -> bool:
    """Whether a pull request comes from a promotion or rollback branch of ours that stagegate merges."""
    if pull.head_repository != pins.repository:
        return False
    kinds: dict[str, Kind] = {
        branch_names.promotion(app, environment.name): "promote",
        branch_names.rollback(app, environment.name): "rollback",
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
    writers: Sequence[Actor],
) -> Approvals:
    """The approvals of a pull request for one environment of an app.

    Neither authors of its commits nor who pushed its head are counted. Where GitHub does not vouch for one of them,
    nobody's approval counts, because it may be their own.
    A squash has our author, GitHub's signature and the trailers that whoever merges it writes, so a head on our
    branch is ours only where the repository's activity says that we put it there.
    """
    foreign = authors.strangers(compared.commits, app, environment.name, writers)
    by_us = is_merged_by_stagegate(pins, pull, app, environment)
    move = (
        pins.pushed(pull.head_ref, pull.head_repository, pull.head_sha)
        if reviews or (by_us and not foreign)
        else None
    )
    unvouched = [
        commit.sha for commit in foreign if not commit.vouched or hub.ACTIONS_BOT.same(commit.author)
    ]
    if reviews and not _is_known(move, writers):
        unvouched.append(pull.head_sha)
    is_moved_by_us = move is not None and is_accepted(move.by, writers)
    involved = (*(commit.author for commit in foreign), move.by if move else None)
    return Approvals(
        people=() if unvouched else people(reviews, pull, involved),
        merged_by_stagegate=by_us,
        contains_others_work=by_us and (bool(foreign) or not is_moved_by_us),
        unvouched=tuple(dict.fromkeys(unvouched)),
        other_files=_besides(compared, pin_files) if by_us else (),
    )


def _is_known(move: hub.RefMove | None, writers: Sequence[Actor]) -> bool:
    """Whether the pusher is known: github-actions is not, because any workflow can push as it."""
    if move is None or move.by is None:
        return False
    return is_accepted(move.by, writers) or not hub.ACTIONS_BOT.same(move.by)


def _besides(compared: hub.Comparison, pin_files: Iterable[str]) -> tuple[str, ...]:
    """Changed files that are no pins. GitHub lists at most 300 files: what it left out is none."""
    besides = sorted(set(compared.files) - set(pin_files))
    return (*besides, "and others") if len(compared.files) >= FILES_LISTED else tuple(besides)
