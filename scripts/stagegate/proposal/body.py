"""The pull request's title and body: what changes, what it rests on, what may go wrong, how to go back.

Text only: nothing in it is ever read back as state. At most 65,536 bytes; folds that do not fit are handed back
for the summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
import yaml

from stagegate.difference import Difference, FieldChange, ObjectChange, hook_jobs, kinds, texts
from stagegate.difference.change import RiskSeen
from stagegate.difference.values import Body as ObjectBody
from stagegate.model import Edit, Evidence, Release, RuleResult, Trust, rfc3339
from stagegate.pins.pinned_version import PinnedVersion
from stagegate.policy.facts import Kind, PromotionFacts, Subject
from stagegate.policy.rules import risk
from stagegate.report import markdown
from stagegate.report.render import render

LIMIT = 65_536  # GitHub refuses a longer body
_ROWS = 50
_LONG = 160
_BODY_LINES = 200
_EACH_RUN = re.compile(
    r"^Judged at .*$|^\[The run that wrote this\]\(.*\)$|(?<=hidden )[0-9a-f]{8}\b", re.MULTILINE
)
_PULL = re.compile(r"\(#(\d+)\)\s*$|^Merge pull request #(\d+) ")


class CommitLine(msgspec.Struct, frozen=True, kw_only=True):
    """A commit between the two versions: its SHA and the first line of its message."""

    sha: str
    subject: str

    @property
    def pull(self) -> str:
        """The pull request that brought it, as the subject says; empty when it says none."""
        found = _PULL.search(self.subject)
        return f"#{found[1] or found[2]}" if found else ""


class EvidenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate of an environment found, and since when it holds (RFC 3339). None: nothing was found."""

    environment: str
    state: str
    since: str = ""
    evidence: Evidence | None = None


class BodyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the body says. `now` is when it was judged; `labels` are those the pull request has already;
    `commits_total` counts also those that are not listed; `back_to` is the release a rollback would choose."""

    app: str
    environment: str
    kind: Kind = "promote"
    before: str
    after: str
    release: Release | None = None
    trust: Trust
    now: str
    rules: tuple[RuleResult, ...] = ()
    risks: tuple[RiskSeen, ...] = ()
    labels: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    difference: Difference | None = None
    not_rendered: str = ""
    proofs: tuple[EvidenceRow, ...] = ()
    standings: tuple[PinnedVersion, ...] = ()
    commits: tuple[CommitLine, ...] = ()
    commits_total: int = 0
    back_to: str = ""
    compare_url: str = ""
    run_url: str = ""


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
        run_url=run_url,
    )


def _migrations(facts: BodyFacts) -> tuple[str, ...]:
    """Hook Jobs of a rollback that nothing marks as impossible to undo: whether they can be, nobody has said."""
    return hook_jobs.unmarked(facts.difference) if facts.difference and facts.kind == "rollback" else ()


def _labels(subject: Subject) -> tuple[str, ...]:
    """Labels that are there. A rollback needs none: what it destroys is shown, and going back may not wait."""
    if subject.kind != "rollback":
        return subject.labels
    return (*subject.labels, *(risk.PREFIX + seen.kind for seen in subject.risks))


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
    values = {
        "facts": facts,
        "missing": risk.missing(facts.risks, facts.labels),
        "overridden": [rule for rule in facts.rules if rule.override],
        "migrations": _migrations(facts),
        "drift": tuple(_drift(facts)),
        "rows": _ROWS,
        "long": _LONG,
    }
    head = render("promotion.md.j2", **values)
    tail = render("promotion_after.md.j2", **values)
    note = render("promotion_cut.md.j2", facts=facts)
    folds = list(_folds(facts.difference)) if facts.difference else []
    kept = _fitting(folds, LIMIT - sum(map(_size, (head, tail, note))))
    cut = note if kept < len(folds) else ""
    return Body(text=head + "".join(folds[:kept]) + cut + tail, rest="".join(folds[kept:]))


def settled(body: str) -> str:
    """What a body says, without what differs in every run: the time, the run, and the hashes of hidden values."""
    return _EACH_RUN.sub("", body.replace("\r\n", "\n")).strip()


def _folds(difference: Difference) -> Iterator[str]:
    """One fold for each object, those of one Application together under its name where there are several."""
    names = dict.fromkeys(one.application for one in difference.changes)
    for name in names:
        heading = f"\n#### {markdown.cell(name)}\n" if name and len(names) > 1 else ""
        for one in difference.changes:
            if one.application == name:
                yield heading + _fold(one)
                heading = ""


def _fold(one: ObjectChange) -> str:
    """One object's changes, to be opened by who wants to see them."""
    rows = [_row(field) for field in one.fields[:_ROWS]]
    return render(
        "promotion_object.md.j2",
        one=one,
        rows=rows,
        more=len(one.fields) - len(rows),
        manifest=_manifest(one.after) if one.change == "added" and not one.was else "",
        kept=kinds.keeps(one.before),
    )


def _manifest(body: ObjectBody | None) -> str:
    """An object's redacted body as YAML, the beginning of a long one."""
    text = yaml.safe_dump(msgspec.to_builtins(_plain(body)), sort_keys=False, allow_unicode=True, width=120)
    lines = [line[: 2 * _LONG] for line in text.splitlines()]
    more = len(lines) - _BODY_LINES
    return "\n".join([*lines[:_BODY_LINES], *([f"# and {more} more lines"] if more > 0 else [])])


def _plain(value: object) -> object:
    """A body without the marks that stand beside structured text."""
    if isinstance(value, Mapping):
        if set(value) == {"(text)", ""}:
            return _plain(value[""])
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _row(field: FieldChange) -> dict[str, object]:
    """A field as a table row, or as lines where one of its values is a text."""
    is_text = bool(field.diff) or any("\n" in (value or "") for value in (field.before, field.after))
    before, after = texts.around(field.before, field.after)
    return {"path": field.path, "is_text": is_text, "diff": _diff(field), "before": before, "after": after}


def _diff(field: FieldChange) -> str:
    if field.diff:
        return "\n".join(line[: 2 * _LONG] for line in field.diff.splitlines())
    old, new = ((side or "").splitlines() for side in (field.before, field.after))
    return "\n".join([*(f"-{line}"[:_LONG] for line in old), *(f"+{line}"[:_LONG] for line in new)])


def _drift(facts: BodyFacts) -> Iterator[tuple[str, str, str]]:
    """Environment, what it runs, and how that stands to the release proposed here."""
    for standing in facts.standings:
        if standing.environment == facts.environment:
            continue
        runs = standing.version or standing.commit[:12]
        same = "the same" if runs == facts.after else "another release"
        yield standing.environment, runs, "" if standing.trouble and not runs else same


def _fitting(folds: Sequence[str], room: int) -> int:
    """How many folds fit into so many bytes, in their order."""
    for count, fold in enumerate(folds):
        room -= _size(fold)
        if room < 0:
            return count
    return len(folds)


def _size(text: str) -> int:
    return len(text.encode())
