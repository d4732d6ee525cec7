"""Decides which marks count: those that the accepted identity made for exactly this ref, and put there itself.

A squash, a merge and GitHub's "Update branch" may carry the author and GitHub's signature, but they always have a
parent. An old mark that is pushed again carries everything, but the repository's activity names who pushed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from stagegate.clients import hub
from stagegate.evidence.records import is_accepted
from stagegate.marks import marks
from stagegate.marks.placed import Placed
from stagegate.model import Actor, Finding, Mark

_KINDS = {"hold": ("hold", "rollback"), "ban": ("ban",), "override": ("override",)}

_SEVERAL = 2  # marks, for which one list is less than a request for each


def of_app(
    pins: hub.Hub, files: Mapping[str, hub.RefFile], app: str, writers: Sequence[Actor], now: datetime
) -> tuple[Placed, ...]:
    """The marks on these refs that concern an app. One that does not count has no `mark`, and says why not."""
    read_ahead(pins, files, app, _SEVERAL)
    judged_marks = (
        judged(pins, ref, file, writers, now) for ref, file in sorted(files.items()) if _is_of(ref, app)
    )
    return tuple(one for one in judged_marks if one is not None)


def read_ahead(pins: hub.Hub, refs: Iterable[str], app: str, least: int = 1) -> None:
    """One request for the moves of an app's marks and for deleted ones, where it has at least so many."""
    if sum(_is_of(ref, app) for ref in refs) >= least:
        pins.read_moves()


def judged(
    pins: hub.Hub, ref: str, file: hub.RefFile, writers: Sequence[Actor], now: datetime
) -> Placed | None:
    """The mark on a ref, or None when the ref is none of ours. Who moved the ref is read only where it matters."""
    placed = marks.place(ref, file.oid, file.content)
    if placed is None:
        return None
    trouble = made_wrong(placed, file, writers)
    ended_override = placed.place == "override" and not marks.active(placed.mark, now)
    if not trouble and not ended_override:
        trouble = moved_wrong(
            pins.pushed(ref.removeprefix("refs/heads/"), pins.repository, file.oid), writers
        )
    return msgspec.structs.replace(
        placed, mark=None if trouble else placed.mark, trouble=trouble, author=file.author
    )


def made_wrong(placed: Placed, file: hub.RefFile, writers: Sequence[Actor]) -> str:
    """Why the commit of a mark does not count, or nothing. Pure.

    GitHub signs no commit that a person's token makes, so a person among the writers needs no signature.
    """
    mark = placed.mark
    if mark is None:
        return "the mark.json of the mark cannot be read"
    if not is_accepted(file.author, writers):
        return (
            "the author of the commit is "
            f"{file.author.login if file.author else 'a person without a GitHub account'}"
        )
    if not file.signed and (file.author is None or file.author.kind != "User"):
        return "GitHub did not sign its commit"
    if not file.alone:
        return "the commit contains other files besides the mark"
    if mark.kind not in _KINDS[placed.place]:
        return f"the mark is a {mark.kind}"
    if is_old_form(mark):
        return ""
    if file.parents:
        return "the commit has a parent"
    if (mark.app, mark.environment, mark.version) != (placed.app, placed.environment, placed.version):
        where = "/".join(part for part in (mark.app, mark.environment, mark.version) if part)
        return f"the mark was made for {where}"
    return ""


def moved_wrong(move: hub.RefMove | None, writers: Sequence[Actor]) -> str:
    """Why the last move of a mark's ref does not count, or nothing. Pure."""
    if move is None:
        return "the repository's activity does not show who pushed the mark"
    if not is_accepted(move.by, writers):
        return f"{move.by.login if move.by else 'somebody unknown'} pushed the mark"
    return ""


def unsigned(pins: hub.Hub) -> tuple[Finding, ...]:
    """A note where this token's marks carry no signature, because it is a person's."""
    own = pins.viewer()
    if own.kind != "User":
        return ()
    return (
        Finding(
            rule="mark-unsigned",
            severity="note",
            message=f"This mark is not signed: it was written with the token of {own.login}.",
            why="GitHub signs only commits of Apps and of GITHUB_TOKEN. Runs with a different token "
            "accept no unsigned mark: a hold or ban still stops promotions, but an override has no "
            "effect.",
            fix="Set the mark with a comment, or in a workflow.",
        ),
    )


def is_old_form(mark: Mark) -> bool:
    """Whether a mark was written before marks named their place; it counts until it is rewritten."""
    return not mark.app


def _is_of(ref: str, app: str) -> bool:
    placed = marks.place(ref, "", None)
    return placed is not None and placed.app in (app, marks.ALL)
