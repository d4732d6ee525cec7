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
                message=f"{name} was deleted by {who} at {gone.at}, without being lifted.",
                why="A mark is lifted by a commit that names the person. A deleted branch names no person.",
                fix="If the mark should stay in force, set it again with a comment or promote-pr. A "
                "mark that somebody pushes as a commit does not count.",
            ),
        )
    return tuple(findings.values())


def _unread(refusal: hub.Refused) -> Finding:
    return Finding(
        rule="mark-vanished",
        severity="note",
        message="Whether a mark was deleted is not known: the repository's activity cannot be read.",
        why=refusal.why,
        fix="Protect refs/heads/stagegate/** with a ruleset, so that marks cannot be deleted.",
    )
