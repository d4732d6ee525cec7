"""Approvals that count in later environments: of the proposal that brought the same version to an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stagegate.clients import hub
from stagegate.model import Actor, branch_names, trailers
from stagegate.policy.facts import Carried
from stagegate.proposal import approvals, authors

_NEWEST = 20  # merged proposals of an environment that are looked through for a version


def carried(
    pins: hub.Hub, app: str, version: str, base: str, environments: Iterable[str], writers: Sequence[Actor]
) -> tuple[Carried, ...]:
    """For each environment, who approved exactly the head that brought this version there.

    Only a merged proposal whose head is a commit of ours, made by one of `writers`, counts: what a person added
    there is not the release.
    """
    approvers = ((name, _people(pins, app, version, base, name, writers)) for name in environments)
    return tuple(Carried(environment=name, people=people) for name, people in approvers if people)


def _people(
    pins: hub.Hub, app: str, version: str, base: str, environment: str, writers: Sequence[Actor]
) -> tuple[str, ...]:
    branch = branch_names.promotion(app, environment)
    merged = [
        pull
        for pull in pins.pulls(head=branch, base=base, state="closed")
        if pull.merged and pull.head_repository == pins.repository
    ]
    for pull in merged[:_NEWEST]:
        head = pins.commit_info(pull.head_sha)
        if head is None or head.trailers.get(trailers.VERSION) != version:
            continue
        if authors.strangers((head,), app, environment, writers):
            return ()
        return approvals.people(approvals.valid(pins.reviews(pull.number)), pull)
    return ()
