"""Marks that somebody deleted instead of lifting them: found in the repository's activity, and reported."""

from __future__ import annotations

from collections.abc import Collection

from stagegate.clients import hub
from stagegate.marks import marks
from stagegate.model import Finding


def vanished(pins: hub.Hub, app: str, present: Collection[str]) -> tuple[Finding, ...]:
    """A finding for each mark's ref that was deleted within a month and is not among `present` (full names).

    Where the activity may not be read, that is said instead: nothing found would be no answer.
    """
    try:
        deleted = pins.deleted_refs(marks.PREFIX)
    except hub.Refused as refusal:
        if refusal.status not in (403, 404, 410):
            raise
        return (_unread(refusal),)
    findings: dict[str, Finding] = {}
    for gone in deleted:
        placed = marks.place(gone.ref, gone.before, None)
        if placed is None or placed.app not in (app, marks.ALL) or gone.ref in present:
            continue
        who = gone.actor.login if gone.actor else "somebody unknown"
        name = gone.ref.removeprefix("refs/heads/")
        findings.setdefault(
            gone.ref,
            Finding(
                rule="mark-vanished",
                severity="warning",
                object=name,
                environment=placed.environment,
                message=f"{who} deleted {name} at {gone.at}, but nobody lifted the mark.",
                why="stagegate lifts a mark with a commit that names the person. If the branch of a "
                "mark is deleted, no commit names the person.",
                fix="If the mark should stay in force, set it again with a comment or promote-pr. A "
                "mark that somebody pushes as a commit does not count.",
            ),
        )
    return tuple(findings.values())


def _unread(refusal: hub.Refused) -> Finding:
    return Finding(
        rule="mark-vanished",
        severity="note",
        message="The activity of the repository cannot be read, so it is unknown whether somebody deleted "
        "a mark.",
        why=refusal.why,
        fix="Protect refs/heads/stagegate/** with a ruleset, so that marks cannot be deleted.",
    )
