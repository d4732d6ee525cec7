"""The words of a proposal: title, body, labels and reviewers, from facts and decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from stagegate.clients.connections import Connections
from stagegate.clients.hub import ACTIONS_BOT, Commit
from stagegate.difference import Difference
from stagegate.errors import Stop
from stagegate.model import PullRequestText
from stagegate.pins import picture
from stagegate.policy import candidate, evidence_for
from stagegate.policy.decide import Decision
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.proposal import body as text
from stagegate.proposal import change_roads, page
from stagegate.proposal.body_values import CommitKind, CommitLine, EvidenceRow, ReleaseRoad
from stagegate.release import conventional

_LISTED = 50
_DIFF_LIMIT = 6_000  # characters
_KINDS: Mapping[str, CommitKind] = {"Added": "feature", "Fixed": "fix", "Changed": "change"}


def proposal(
    connections: Connections,
    facts: PromotionFacts,
    difference: Difference | None,
    decision: Decision,
    now: datetime,
    run_url: str,
) -> tuple[PullRequestText | None, str]:
    """The pull request's text, and the part that does not fit into it; None where none is written."""
    subject = facts.subject
    if subject is None or decision.write != "propose":
        return None, ""
    policy = facts.policy_of(subject.environment).promotion
    source = connections.app
    code_url = f"{source.server_url}/{source.repository}"
    brought = _changes(connections, facts, subject, code_url)
    account = text.account(facts, subject, decision.rules, difference, now=now, run_url=run_url)
    body = text.body(
        msgspec.structs.replace(
            account,
            proofs=_proofs(facts, subject),
            pins_diff=_pins_diff(connections, facts, subject),
            commits=brought.commits,
            commits_total=brought.total,
            roads=brought.roads,
            back_to=candidate.last_good(facts, subject.environment, subject.version, now),
            code_url=code_url,
            compare_url=f"{code_url}/compare/{_span(facts, subject)}",
        )
    )
    proposed = PullRequestText(
        branch=facts.branch,
        base=facts.base,
        title=text.title(facts.app, subject.environment, subject.before, subject.version, subject.kind),
        body=body.text,
        labels=policy.labels,
        reviewers=policy.reviewers,
    )
    return proposed, body.rest


def complete(
    facts: PromotionFacts, difference: Difference | None, decision: Decision, now: datetime, run_url: str
) -> str:
    """The page with the complete difference; nothing where nothing was compared."""
    if facts.subject is None or difference is None:
        return ""
    account = text.account(facts, facts.subject, decision.rules, difference, now=now, run_url=run_url)
    return page.page([account], run_url)


class _Changes(msgspec.Struct, frozen=True):
    """The commits between two releases that are listed, newest first, how many there are, and how they came."""

    commits: tuple[CommitLine, ...] = ()
    total: int = 0
    roads: tuple[ReleaseRoad, ...] = ()


def _changes(connections: Connections, facts: PromotionFacts, subject: Subject, code_url: str) -> _Changes:
    """The changes of the release; nothing where the history between the two is unknown."""
    if not subject.before:
        return _Changes()
    base, _, head = _span(facts, subject).partition("...")
    prefix = facts.settings.version.tag_prefix
    try:
        compared = connections.app.compare(base, head)
        listed = list(reversed(compared.commits))[:_LISTED]
        pulls = {one.sha: one.pulls for one in connections.app.log(head, len(listed))} if listed else {}
        tags = connections.app.release_tags(prefix) if listed else []
    except Stop as stop:
        if stop.verdict.exit_code == 3 and stop.reason != "unknown-state":
            raise
        return _Changes()  # the release that runs has no tag here: it is no reason not to promote
    roads = change_roads.releases(
        {commit.sha: commit for commit in compared.commits},
        tags,
        facts.app,
        [place.name for place in facts.settings.environments],
        (*facts.accepted, ACTIONS_BOT) if facts.trust == "advisory" else facts.accepted,
        prefix=prefix,
        code_url=code_url,
    )
    return _Changes(tuple(_line(one, pulls.get(one.sha, ())) for one in listed), compared.ahead, roads)


def _pins_diff(connections: Connections, facts: PromotionFacts, subject: Subject) -> str:
    """The edit of the pins as `--local` shows it; nothing where it is longer than anybody reads."""
    blobs = connections.pins.files(facts.base_head, tuple(subject.files))
    before = {path: blob.content if blob else None for path, blob in blobs.items()}
    difference = picture.of_files(before, subject.files)
    return difference if len(difference) <= _DIFF_LIMIT else ""


def _line(commit: Commit, pulls: Sequence[int]) -> CommitLine:
    """A commit as the body lists it, by the reading that also chose the version."""
    subject, _, rest = commit.message.partition("\n")
    meaning = conventional.read(subject, rest)
    kind = _KINDS.get(meaning.heading, "other") if meaning.level else "other"
    return CommitLine(
        sha=commit.sha,
        subject=subject[:200],
        author=commit.author.login if commit.author else "",
        kind="breaking" if meaning.breaking else kind,
        known_pull=str(pulls[0]) if pulls else "",
    )


def _span(facts: PromotionFacts, subject: Subject) -> str:
    """`v1.0.0...v1.1.0`, the earlier one first also for a rollback."""
    prefix = facts.settings.version.tag_prefix
    ends = (subject.before, subject.version)
    first, last = reversed(ends) if subject.kind == "rollback" else ends
    return f"{prefix}{first}...{prefix}{last}"


def _proofs(facts: PromotionFacts, subject: Subject) -> tuple[EvidenceRow, ...]:
    back = subject.kind == "rollback"
    places = (subject.environment,) if back else facts.policy_of(subject.environment).after
    verdicts = [(place, evidence_for.of(facts, place, subject.version, subject.release)) for place in places]
    return tuple(
        EvidenceRow(
            environment=place,
            state=verdict.state,
            since=verdict.since,
            evidence=verdict.record.evidence if verdict.record else None,
        )
        for place, verdict in verdicts
    )
