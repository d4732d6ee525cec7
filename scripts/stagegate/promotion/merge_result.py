"""May this pull request merge? Judges its head from where it left the base, and what the merge makes of both.

Git follows renames, and it joins two changes of one file: a merge can change pins that the head does not change.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from datetime import datetime

import msgspec

from stagegate.argocd_app.tree import Tree
from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.difference import repositories
from stagegate.pins import pinned_version
from stagegate.policy.commit_status import PinsStatus
from stagegate.promotion import evaluate
from stagegate.promotion.app_state import AppState
from stagegate.promotion.evaluate import Judgement, Origin
from stagegate.proposal import labels as labelled

_LISTED = 300  # files of a comparison that GitHub lists; a longer list is cut
_WORST = ("error", "failure", "pending", "success")


def judge(connections: Connections, state: AppState, of: hub.Pull, now: datetime) -> Judgement:
    """The verdict on a pull request: the worse one of its head and of the merge into the base as it is now.

    Stop(unknown-state) when GitHub does not say what the merge comes to.
    """
    pins = connections.pins
    compared = pins.compare(state.head, of.head_sha)
    origin = Origin(pull=of, compared=compared, labels=labelled.counted(pins, of))
    judgement = evaluate.change(connections, state, compared.merge_base, of.head_sha, origin, now)
    if not compared.behind:
        return judgement  # the merge leaves what the head has
    fork, base, head = (
        repositories.tree_at(pins, sha) for sha in (compared.merge_base, state.head, of.head_sha)
    )
    missing = _missing(state, fork, base)
    if not judgement.environments and not missing and not _may_meet(compared.files, fork, base):
        return judgement
    merge = pins.trial_merge(of.number, state.head, of.head_sha)
    if merge is None:
        return msgspec.structs.replace(judgement, conflicts=True)
    if not missing and _is_plain(fork, base, head, repositories.tree_at(pins, merge)):
        return judgement
    merged = evaluate.change(connections, state, state.head, merge, origin, now)
    if missing and (merged.environments or judgement.environments):
        why = (
            f"update the branch of the pull request: {state.base} now has {missing}, which the branch "
            "does not contain"
        )
        return msgspec.structs.replace(judgement, verdict=PinsStatus(state="failure", description=why))
    return _worse(judgement, merged, state.base)


def _may_meet(files: Sequence[str], fork: Tree, base: Tree) -> bool:
    """Whether a merge could put one of these files under another name: the base moved it, or its folder."""
    return len(files) >= _LISTED or any(
        (file in fork.entries and file not in base.entries)
        or (posixpath.dirname(file) in fork.folders and posixpath.dirname(file) not in base.folders)
        for file in files
    )


def _missing(state: AppState, fork: Tree, base: Tree) -> str:
    """A pin file that the base has and the commit where the branch began has not."""
    pin_files = pinned_version.pin_files(state.settings)
    return next((file for file in pin_files if file in base.entries and file not in fork.entries), "")


def _is_plain(fork: Tree, base: Tree, head: Tree, merge: Tree) -> bool:
    """Whether a merge takes every file whole from one side: then it changes what the head changes, nothing else."""
    for path in {*fork.entries, *base.entries, *head.entries, *merge.entries}:
        before, ours, theirs = (tree.entries.get(path) for tree in (fork, base, head))
        if merge.entries.get(path) != (theirs if theirs != before else ours):
            return False
    return True


def _worse(judgement: Judgement, merged: Judgement, base: str) -> Judgement:
    """The judgement with the worse verdict, for the head; one that only the merge shows says so."""
    states = [_WORST.index(one.verdict.state) for one in (judgement, merged)]
    if states[0] <= states[1]:
        return judgement
    verdict = merged.verdict
    why = f"merged into {base}: {verdict.description}"
    verdict = msgspec.structs.replace(verdict, description=why)
    return msgspec.structs.replace(merged, head=judgement.head, verdict=verdict)
