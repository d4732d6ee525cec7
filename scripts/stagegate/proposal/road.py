"""The first line of a pull request, which is a summary, and the picture of its release's road."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from stagegate import markdown
from stagegate.proposal.body_values import BodyFacts, CommitKind, EvidenceRow
from stagegate.report.status_page import mermaid_text
from stagegate.report.times import counted, utc

_WORDS: Mapping[CommitKind, tuple[str, str]] = {
    "breaking": ("breaking change", ""),
    "feature": ("feature", ""),
    "fix": ("fix", "fixes"),
    "change": ("change", ""),
    "other": ("other commit", ""),
}

_SEEN = 20  # environments in one picture


def first_line(facts: BodyFacts) -> markdown.Safe:
    """`1.0.0 → 1.1.0 · 2 features, 1 fix · staging passed 8 checks at … · 1 object changes · may merge`."""
    parts = [f"**{markdown.cell(_move(facts))}**", *map(markdown.cell, _parts(facts))]
    return markdown.Safe(" · ".join(parts))


def picture(facts: BodyFacts) -> str:
    """The environments as a mermaid flow chart, where there are more than two and not too many; else nothing."""
    places = [standing.environment for standing in facts.standings]
    if not 2 < len(places) <= _SEEN:
        return ""
    names = {place: f"e{number}" for number, place in enumerate(places)}
    lines = ["flowchart LR"]
    for standing in facts.standings:
        runs = mermaid_text(standing.version or standing.commit[:12]) or "not known"
        if standing.environment == facts.environment and facts.kind != "configure":
            runs += f" → {mermaid_text(facts.after)}"
        lines.append(f'  {names[standing.environment]}["{mermaid_text(standing.environment)}<br>{runs}"]')
    for place in places:
        lines += [
            f"  {names[before]} --> {names[place]}"
            for before in facts.after_of.get(place, ())
            if before in names
        ]
    if facts.environment in names:
        lines.append(f"  style {names[facts.environment]} stroke-width:4px")
    return "\n".join(lines)


def _move(facts: BodyFacts) -> str:
    if facts.kind == "configure":
        return f"the configuration of {facts.environment} changes; {facts.app} stays at {facts.after}"
    if facts.kind == "rollback":
        return f"back from {facts.before or 'an unknown version'} to {facts.after}"
    return f"{facts.before} → {facts.after}" if facts.before else f"{facts.after}, the first release here"


def _parts(facts: BodyFacts) -> Iterator[str]:
    kinds = Counter(commit.kind for commit in facts.commits)
    more = max(facts.commits_total - len(facts.commits), 0)
    kinds["other"] += more
    ships = [counted(kinds[kind], *words) for kind, words in _WORDS.items() if kinds[kind]]
    if ships and facts.kind != "configure":
        yield ("takes back " if facts.kind == "rollback" else "") + ", ".join(ships)
    yield from map(_proof, facts.proofs[:3])
    yield _cluster(facts)
    yield _verdict(facts)


def _proof(proof: EvidenceRow) -> str:
    if proof.state not in ("passed", "adopted") or proof.evidence is None:
        return f"{proof.environment}: {proof.state if proof.state != 'none' else 'no evidence'}"
    checks = proof.evidence.tests_passed
    what = f" {counted(checks, 'check')}" if checks and proof.state == "passed" else ""
    return f"{proof.environment} {proof.state}{what} at {utc(proof.since)}"


def _cluster(facts: BodyFacts) -> str:
    """The changes in the cluster, in a few words."""
    difference = facts.difference
    if facts.not_rendered or difference is None:
        return "the change in the cluster is unknown"
    changes = len(difference.changes)
    if changes:
        return f"{counted(changes, 'object')} {'changes' if changes == 1 else 'change'}"
    if any(note.startswith("Not rendered") for note in difference.notes):
        return "what is rendered is the same"
    return "only labels change in the cluster" if difference.noise else "nothing changes in the cluster"


def _verdict(facts: BodyFacts) -> str:
    """Whether it may merge, by the rules."""
    open_ = [rule for rule in facts.rules if rule.state != "pass" and not rule.override]
    blocking = [rule.rule for rule in open_ if rule.state in ("stop", "unknown")]
    if blocking:
        return f"may not merge: {', '.join(blocking)}"
    waits = [_wait(facts, rule.rule, rule.until) for rule in open_]
    return f"may merge after {' and '.join(waits)}" if waits else "may merge"


def _wait(facts: BodyFacts, rule: str, until: str) -> str:
    if rule == "approvals":
        missing = facts.approvals_missing
        return "one approval" if missing == 1 else f"{missing} approvals" if missing else "an approval"
    return f"{rule} ({utc(until)})" if until else rule
