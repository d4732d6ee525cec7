"""The open promotion of an environment: its pull request, its branch, and who approved exactly that head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from stagegate.clients import hub
from stagegate.evidence.records import is_accepted
from stagegate.model import Actor, digest_of, trailers
from stagegate.policy.facts import Proposal
from stagegate.proposal import approvals, authors, body, commit_record


class PromotionBranch(msgspec.Struct, frozen=True, kw_only=True):
    """A branch of ours: its tip (empty: there is none), version and risks its commit names, what is not ours."""

    name: str
    head: str = ""
    version: str = ""
    risks: frozenset[str] = frozenset()
    foreign: tuple[str, ...] = ()


def branch(
    pins: hub.Hub, name: str, head: str, base: str, app: str, environment: str, writers: Sequence[Actor]
) -> PromotionBranch:
    """What is on a branch of ours that `base` does not have, and which of it is not ours.

    A commit is ours by author, signature and trailers, the branch by who moved it there; a merge of the base is
    nobody's work.
    """
    if not head:
        return PromotionBranch(name=name)
    commits = pins.compare(base, head).commits
    strange = authors.strangers(commits, app, environment, writers)
    merges = authors.updates(pins, commits, strange)
    foreign = [commit.sha for commit in strange if commit.sha not in merges]
    named = [c.trailers.get(trailers.VERSION, "") for c in commits if c not in strange]
    if commits and not foreign and head not in merges:
        move = pins.pushed(name, pins.repository, head)
        if move is not None and move.by is not None and not is_accepted(move.by, writers):
            foreign.append(head)
    return PromotionBranch(
        name=name,
        head=head,
        version=named[-1] if named else "",
        risks=commit_record.risks(commits, app, environment),
        foreign=tuple(foreign),
    )


def proposal(
    pins: hub.Hub, of_branch: PromotionBranch, base: str, wanted: Mapping[str, bytes]
) -> Proposal | None:
    """The open pull request of a branch, or None. `equal`: its files already say exactly what we would write."""
    open_pulls = [
        pull for pull in pins.pulls(head=of_branch.name, base=base) if pull.head_repository == pins.repository
    ]
    if not open_pulls:
        return None
    pull = open_pulls[0]
    reviews = approvals.valid(pins.reviews(pull.number))
    return Proposal(
        number=pull.number,
        node_id=pull.node_id,
        url=pull.url,
        branch=of_branch.name,
        head=pull.head_sha,
        version=of_branch.version,
        labels=pull.labels,
        title=pull.title,
        said=digest_of(body.settled(pull.body).encode()),
        draft=pull.draft,
        auto_merge=pull.auto_merge,
        equal=not of_branch.foreign and is_equal(pins, pull.head_sha, wanted),
        foreign=of_branch.foreign,
        approvals=approvals.people(reviews, pull),
        reviews=tuple(review.id for review in reviews),
    )


def pushed_at(pins: hub.Hub, branch: str, head: str) -> str:
    """When the head of a branch of ours was pushed, by GitHub's clock; empty where that is not known."""
    pushed = pins.pushed(branch, pins.repository, head)
    return pushed.at if pushed is not None else ""


def is_merged(pins: hub.Hub, of_branch: PromotionBranch, base: str) -> bool:
    """Whether exactly this tip of the branch went into the base, whatever the branch was kept for."""
    closed = pins.pulls(head=of_branch.name, base=base, state="closed")
    return any(pull.merged and pull.head_sha == of_branch.head for pull in closed)


def is_equal(pins: hub.Hub, head: str, wanted: Mapping[str, bytes]) -> bool:
    """Whether a commit's files are exactly these."""
    if not wanted:
        return False
    blobs = pins.files(head, sorted(wanted))
    return all(blob is not None and blob.content == wanted[path] for path, blob in blobs.items())
