"""Which commits of a branch are ours: made by an accepted identity, signed by GitHub, with our trailers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stagegate.clients import hub
from stagegate.evidence.records import is_accepted
from stagegate.model import Actor, trailers


def strangers(
    commits: Iterable[hub.Commit], app: str, environment: str, writers: Sequence[Actor]
) -> tuple[hub.Commit, ...]:
    """Commits that are not ours. An author that GitHub does not confirm counts as unknown."""
    return tuple(
        commit
        for commit in commits
        if not (
            commit.vouched
            and is_accepted(commit.author, writers)
            and trailers.is_of(commit.trailers, app, environment)
        )
    )


def updates(pins: hub.Hub, commits: Sequence[hub.Commit], foreign: Sequence[hub.Commit]) -> frozenset[str]:
    """Those of the foreign commits that only merge the base into a branch of ours, as "Update branch" does.

    GitHub vouches for such a merge, or the newest own commit has the same content in every changed file: nothing
    is lost when the branch is made anew.
    """
    shas, others = {commit.sha for commit in commits}, {commit.sha for commit in foreign}
    merges = [c for c in foreign if len(c.parents) == 2 and c.parents[0] in shas and c.parents[1] not in shas]
    own = [commit for commit in commits if commit.sha not in others]
    if not merges or not own:
        return frozenset()
    vouched = frozenset(commit.sha for commit in merges if commit.vouched)
    if len(vouched) == len(merges):
        return vouched
    tip = commits[-1]
    changed = pins.compare(tip.parents[-1], tip.sha).files if tip in merges else ()
    if changed and pins.files(own[-1].sha, changed) == pins.files(tip.sha, changed):
        return frozenset(commit.sha for commit in merges)
    return vouched
