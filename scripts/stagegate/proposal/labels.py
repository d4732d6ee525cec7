"""Labels that accept a risk: each counts only for the head that it was set on, like an approval."""

from __future__ import annotations

from collections.abc import Sequence

from stagegate.clients import hub
from stagegate.model import moment
from stagegate.policy.rules import risk


def counted(pins: hub.Hub, pull: hub.Pull) -> tuple[str, ...]:
    """The labels of a pull request without those for risks that are older than the push of its head.

    Both times are GitHub's own, never those that a commit says of itself. Where it is not known when the head was
    pushed (a fork that cannot be read, a push just now), no risk is let in.
    """
    return standing(pins, pull.number, pull.head_ref, pull.head_repository, pull.head_sha, pull.labels)


def standing(
    pins: hub.Hub, number: int, branch: str, repository: str, head: str, labels: Sequence[str]
) -> tuple[str, ...]:
    """`counted`, for a pull request known by its parts."""
    others = tuple(label for label in labels if not label.startswith(risk.PREFIX))
    if len(others) == len(labels):
        return others
    pushed = pins.pushed(branch, repository, head) if repository else None
    if pushed is None:
        return others
    set_at = pins.labelled(number)
    since = moment(pushed.at)
    fresh = (label for label in labels if label in set_at and moment(set_at[label]) > since)
    return (*others, *(label for label in fresh if label not in others))
