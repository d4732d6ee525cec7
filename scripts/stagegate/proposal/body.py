"""The pull request's title and body: what changes, what it rests on, what may go wrong, how to go back.

Text only: nothing in it is ever read back as state. At most 65,536 bytes; folds that do not fit are handed back
for the summary.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from stagegate import markdown
from stagegate.difference import Difference, hook_jobs
from stagegate.evidence.milestones import MILESTONES
from stagegate.model import RuleResult, rfc3339
from stagegate.policy.facts import Kind, PromotionFacts, Subject
from stagegate.policy.rules import approvals, risk
from stagegate.proposal import body_objects, road
from stagegate.proposal.body_values import HEADINGS, BodyFacts, CommitLine
from stagegate.report.render import render

LIMIT = 65_536  # GitHub refuses a longer body
_ROWS = (50, 20, 5)  # of every list: as many as leave half of the text for the objects
_EACH_RUN = re.compile(
    r"^Judged at .*$|^\[The run that wrote this\].*$|(?<=hidden )[0-9a-f]{8}\b", re.MULTILINE
)


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The body, and the folds that did not fit into it (Markdown too, empty when all did)."""

    text: str
    rest: str = ""


def account(
    facts: PromotionFacts,
    subject: Subject,
    judged: tuple[RuleResult, ...],
    difference: Difference | None,
    *,
    now: datetime,
    run_url: str,
) -> BodyFacts:
    """What is said of a change wherever it is judged; a proposal adds evidence, commits and the way back."""
    return BodyFacts(
        app=facts.app,
        environment=subject.environment,
        kind=subject.kind,
        before=subject.before,
        after=subject.version,
        release=subject.release,
        trust=facts.trust,
        now=rfc3339(now),
        rules=judged,
        risks=subject.risks,
        labels=_labels(subject),
        edits=subject.edits,
        difference=difference,
        not_rendered=subject.render_note or subject.render_trouble,
        standings=facts.standings,
        approvals_missing=_missing_approvals(facts, subject),
        after_of={place.name: place.after for place in facts.settings.environments},
        run_url=run_url,
    )


def _missing_approvals(facts: PromotionFacts, subject: Subject) -> int:
    least = approvals.required(facts.policy_of(subject.environment), subject.kind)
    return max(least - len(subject.approvals.people), 0)


def _migrations(facts: BodyFacts) -> tuple[str, ...]:
    """Hook Jobs of a rollback that nothing marks as impossible to undo: whether they can be, nobody has said."""
    return hook_jobs.unmarked(facts.difference) if facts.difference and facts.kind == "rollback" else ()


def _labels(subject: Subject) -> tuple[str, ...]:
    """Labels that are there. A rollback needs none: what it destroys is shown, and going back may not wait."""
    if subject.kind != "rollback":
        return subject.labels
    return (*subject.labels, *(risk.PREFIX + risk_seen.kind for risk_seen in subject.risks))


def title(app: str, environment: str, before: str, after: str, kind: Kind = "promote") -> str:
    """`Promote shop to prod: 1.0.0 → 1.1.0`, in words that GitHub does not act on."""
    verb = {
        "promote": "Promote {} to {}",
        "rollback": "Roll back {} in {}",
        "configure": "Configure {} in {}",
    }
    move = after if before in ("", after) else f"{before} → {after}"
    return markdown.plain(f"{verb[kind].format(app, environment)}: {move}")


def body(facts: BodyFacts) -> Body:
    """The body of a promotion's pull request, most important first, folds as far as they fit."""
    for rows in _ROWS:
        head, tail = _around(facts, rows)
        if sum(map(_size, (head, tail))) <= LIMIT // 2:
            break
    note = render("proposal_body_cut.md.j2")
    parts = list(body_objects.of(facts.difference, facts.risks)) if facts.difference else []
    kept = _fitting(parts, LIMIT - sum(map(_size, (head, tail, note))))
    cut = note if kept < len(parts) else ""
    return Body(text=head + "".join(parts[:kept]) + cut + tail, rest="".join(parts[kept:]))


def _around(facts: BodyFacts, rows: int) -> tuple[str, str]:
    """What stands before the folds of the objects and after them, lists with so many rows."""
    ships = groupby(_by_kind(facts, rows), lambda commit: commit.kind)
    values = {
        "facts": facts,
        "first_line": road.first_line(facts),
        "picture": road.picture(facts),
        "missing": risk.missing(facts.risks, facts.labels),
        "overridden": [rule for rule in facts.rules if rule.override],
        "waiting": [rule for rule in facts.rules if rule.state != "pass" or rule.override],
        "migrations": _migrations(facts),
        "ships": [(HEADINGS[kind], tuple(commits)) for kind, commits in ships],
        "rows": rows,
        "steps": _steps(facts),
    }
    return render("proposal_body.md.j2", **values), render("proposal_body_after.md.j2", **values)


def _steps(facts: BodyFacts) -> tuple[str, ...]:
    """The columns of the road: every step that one of the releases has taken, in order."""
    passed = {one.where for road in facts.roads for one in road.passages}
    order = ("tagged", *MILESTONES, *facts.after_of)
    return tuple(name for name in order if name in passed)


def _by_kind(facts: BodyFacts, rows: int) -> list[CommitLine]:
    """The commits that are listed, the most important kind first."""
    order = list(HEADINGS)
    return sorted(facts.commits[:rows], key=lambda commit: order.index(commit.kind))


def settled(body: str) -> str:
    """A body without the parts that differ in every run: the time, the run, and the hashes of hidden values."""
    return _EACH_RUN.sub("", body.replace("\r\n", "\n")).strip()


def _fitting(folds: Sequence[str], room: int) -> int:
    """How many folds fit into so many bytes, in their order."""
    for count, fold in enumerate(folds):
        room -= _size(fold)
        if room < 0:
            return count
    return len(folds)


def _size(text: str) -> int:
    return len(text.encode())
