"""The planner over generated histories: invariants that hold for any history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from stagegate.difference.change import RiskSeen
from stagegate.marks.placed import Placed
from stagegate.model import Mark, RuleResult, digest_of, to_json
from stagegate.policy import commit_status, decide
from stagegate.policy.facts import Approvals, PromotionFacts, Proposal, Subject
from stagegate.settings import Settings
from tests.promotion.facts_world import NOW, facts, record, release, settings, subject

VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0-rc.1")
TEXTS = (
    "",
    ", soak: 1h",
    ", promotion: {strategy: direct}",
    ", promotion: {merge: stagegate}",
    ", promotion: {strategy: each}",
)
POLICIES: dict[str, Settings] = {text: settings(text) for text in TEXTS}

versions = st.sampled_from(VERSIONS)
outcomes = st.sampled_from(
    [
        ("passed", "rollout"),
        ("failed", "rollout"),
        ("skipped", "skip"),
        ("adopted", "adopt"),
        ("passed", "look"),
    ]
)


def sometimes(draw: st.DrawFn) -> bool:
    """True one time in six: with more failures no generated history would ever write anything."""
    return draw(st.integers(0, 5)) == 3


@st.composite
def histories(draw: st.DrawFn) -> PromotionFacts:
    """A history: records in any order, marks, the running releases, and a proposal or none."""
    listed = draw(
        st.lists(st.tuples(versions, st.sampled_from(["", "x"]), outcomes, st.integers(0, 300)), max_size=6)
    )
    records = [
        record(release(v, salt), "staging", outcome, kind=kind, ago=timedelta(minutes=ago), number=n)
        for n, (v, salt, (outcome, kind), ago) in enumerate(listed)
    ]
    records.sort(key=lambda r: (r.created, r.id), reverse=True)
    marks = []
    if sometimes(draw):
        rules = tuple(
            draw(st.sets(st.sampled_from(["evidence", "order", "hold", "soak", "direction"]), min_size=1))
        )
        version = draw(versions)
        mark = Mark(
            kind="override", owner="octo-lead", reason="why", since="2026-06-01T00:00:00Z", rules=rules
        )
        marks.append(
            Placed(
                ref="o", oid="o", place="override", app="shop", environment="prod", version=version, mark=mark
            )
        )
    if sometimes(draw):
        marks.append(Placed(ref="b", oid="b", place="ban", app="shop", version=draw(versions)))
    if sometimes(draw):
        marks.append(Placed(ref="h", oid="h", place="hold", app="shop", environment="prod"))
    version = draw(versions) if sometimes(draw) else "1.1.0"
    before = draw(st.sampled_from([*VERSIONS, ""])) if sometimes(draw) else "1.0.0"
    if not sometimes(draw):
        records.insert(
            0, record(release(version), ago=timedelta(minutes=draw(st.integers(0, 90))), number=99)
        )
        records.sort(key=lambda r: (r.created, r.id), reverse=True)
    change = subject(version, before)
    if sometimes(draw):
        change = msgspec.structs.replace(change, release_trouble="503", release=None)
    if sometimes(draw):
        change = msgspec.structs.replace(change, risks=(RiskSeen(kind="crd", object="o", detail="d"),))
    return facts(
        policy=POLICIES[draw(st.sampled_from(TEXTS))],
        staging=draw(st.sampled_from([*VERSIONS, ""])) if sometimes(draw) else version,
        prod=before,
        records={"staging": records},
        marks=tuple(marks),
        subject=change,
    )


def set_aside(known: PromotionFacts) -> set[str]:
    change = known.subject
    assert change is not None
    found = [p.mark for p in known.marks if p.place == "override" and p.version == change.version]
    return {rule for mark in found if mark is not None for rule in mark.rules}


def was_tested(known: PromotionFacts, change: Subject) -> bool:
    """The oracle: whether the newest verdict about this version is a pass of these digests."""
    said = [
        r.evidence for r in known.records["staging"] if r.evidence and r.evidence.version == change.version
    ]
    deciding = [e for e in said if e.kind != "look"]
    if not deciding or change.release is None:
        return False
    last = deciding[0]
    return (last.outcome, last.chart, last.images) == ("passed", change.release.chart, change.release.images)


@given(known=histories())
@hypothesis(max_examples=300, derandomize=True, deadline=None)
def test_I1_nothing_is_written_without_evidence_or_override(known: PromotionFacts) -> None:
    decision = decide.decide(known, NOW)
    assert known.subject is not None
    if decision.write:
        aside = set_aside(known)
        assert was_tested(known, known.subject) or "evidence" in aside
        assert not any(p.place == "ban" and p.version == known.subject.version for p in known.marks)
        assert not any(p.place == "hold" for p in known.marks) or "hold" in aside
        assert "-rc" not in known.subject.version


@given(known=histories())
@hypothesis(max_examples=300, derandomize=True, deadline=None)
def test_I2_unknown_is_never_passed(known: PromotionFacts) -> None:
    decision = decide.decide(known, NOW)
    if any(result.state == "unknown" for result in decision.rules):
        assert (decision.write, decision.reason) == ("", "unknown-state")
        assert decision.verdict.state == "error"
    states = {result.state for result in decision.rules}
    assert decision.verdict.state != "success" or states == {"pass"}


@given(known=histories(), place=st.sampled_from(["chart", "image"]))
@hypothesis(max_examples=150, derandomize=True, deadline=None)
def test_I3_one_changed_digest_is_refused(known: PromotionFacts, place: str) -> None:
    change = known.subject
    assert change is not None
    decision = decide.decide(known, NOW)
    if (
        not decision.write
        or change.release is None
        or change.release.chart is None
        or "evidence" in set_aside(known)
    ):
        return
    other = digest_of(b"somebody else's")
    if place == "chart":
        chart = msgspec.structs.replace(change.release.chart, digest=other)
        changed = msgspec.structs.replace(change.release, chart=chart)
    else:
        image = msgspec.structs.replace(change.release.images[0], digest=other)
        changed = msgspec.structs.replace(change.release, images=(image,))
    now = msgspec.structs.replace(known, subject=msgspec.structs.replace(change, release=changed))
    refused = decide.decide(now, NOW)
    assert (refused.write, refused.reason) == ("", "evidence-mismatch")


@given(known=histories())
@hypothesis(max_examples=100, derandomize=True, deadline=None)
def test_I4_the_same_facts_from_a_file_give_the_same_plan(known: PromotionFacts) -> None:
    replayed = msgspec.json.decode(to_json(known), type=PromotionFacts)
    first, second = decide.decide(known, NOW), decide.decide(replayed, NOW)
    assert first == second
    assert to_json(decide.plan(known, first, NOW)) == to_json(decide.plan(replayed, second, NOW))


@given(known=histories())
@hypothesis(max_examples=200, derandomize=True, deadline=None)
def test_I9_every_refusal_names_every_rule_that_stops_and_what_to_do(known: PromotionFacts) -> None:
    decision = decide.decide(known, NOW)
    if decision.write:
        return
    message = decision.message
    assert message.what
    assert message.next
    for result in decide.blockers(decision.rules, direct=False):
        assert f"{result.rule}: " in message.why
    for result in decision.rules:
        if result.state == "wait" and result.until:
            assert result.until in message.why or result.until in message.next


GOOD = {"records": {"staging": [record(release("1.1.0"))]}}


@pytest.mark.parametrize(
    ("prod", "change", "write", "reason", "state"),
    [
        ("", {}, "propose", "", "success"),
        (", soak: 3h", {}, "propose", "", "pending"),
        (", soak: 3h, promotion: {strategy: direct}", {}, "", "soaking", "pending"),
        (", promotion: {strategy: direct}", {}, "commit", "", "success"),
        ("", {"risks": (RiskSeen(kind="crd", object="o", detail="d"),)}, "propose", "", "failure"),
        (
            ", promotion: {strategy: direct}",
            {"risks": (RiskSeen(kind="crd", object="o", detail="d"),)},
            "",
            "risky-change",
            "failure",
        ),
        ("", {"render_trouble": "helm failed"}, "", "unknown-state", "error"),
        (", promotion: {merge: stagegate}", {}, "propose", "", "pending"),
    ],
)
def test_the_table_of_rules_and_outcomes(
    prod: str, change: dict[str, Any], write: str, reason: str, state: str
) -> None:
    known = facts(policy=settings(prod), subject=subject(**change), **GOOD)  # type: ignore[arg-type]
    decision = decide.decide(known, NOW)
    assert (decision.write, decision.reason, decision.verdict.state) == (write, reason, state)


def test_a_refusal_names_the_end_of_a_hold_once() -> None:
    until = "2026-12-01T00:00:00Z"
    mark = Mark(kind="hold", owner="octo-lead", reason="sale", since="2026-06-01T00:00:00Z", until=until)
    held = Placed(ref="h", oid="h", place="hold", app="shop", environment="prod", mark=mark)
    decision = decide.decide(facts(subject=subject(), marks=(held,), **GOOD), NOW)  # type: ignore[arg-type]
    assert decision.reason == "held-back"
    assert decision.message.why.count(until) == 1


def open_proposal(version: str, **changes: Any) -> Proposal:
    made = Proposal(number=7, node_id="n", url="u", branch="b", head="h" * 40, version=version)
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("text", "open_version", "reason"),
    [
        ("", "1.2.0", "superseded"),
        ("", "1.0.5", ""),
        (", promotion: {strategy: each}", "1.0.5", "queued"),
        (", promotion: {strategy: each}", "1.2.0", ""),
        ("", "1.1.0", ""),
    ],
)
def test_which_releases_replace_an_open_proposal(text: str, open_version: str, reason: str) -> None:
    records = [record(release(version)) for version in dict.fromkeys(("1.1.0", open_version))]
    known = facts(
        policy=settings(text),
        staging="1.1.0",
        subject=subject(),
        proposal=open_proposal(open_version),
        records={"staging": records},
    )
    assert decide.decide(known, NOW).reason == reason
    if open_version == "1.1.0":
        return
    banned = Placed(ref="b", oid="b", place="ban", app="shop", version=open_version)
    assert decide.decide(msgspec.structs.replace(known, marks=(banned,)), NOW).write == "propose"
    failed = record(release(open_version), outcome="failed", ago=timedelta(minutes=5), number=9)
    revoked = msgspec.structs.replace(known, records={"staging": (failed, *records)})
    assert decide.decide(revoked, NOW).write == "propose"


@pytest.mark.parametrize(
    ("promotion", "people", "state"),
    [
        ("merge: stagegate", (), "pending"),
        ("merge: stagegate", ("octo-dev",), "success"),
        ("merge: person", (), "success"),
        ("approvals: 2", ("octo-dev",), "pending"),
        ("approvals: 2", ("octo-dev", "octo-lead"), "success"),
    ],
)
def test_approvals_are_required_where_stagegate_merges_or_the_settings_ask(
    promotion: str, people: tuple[str, ...], state: str
) -> None:
    known = facts(
        policy=settings(f", promotion: {{{promotion}}}"),
        subject=subject(approvals=Approvals(people=people)),
        **GOOD,  # type: ignore[arg-type]
    )
    decision = decide.decide(known, NOW)
    assert (decision.write, decision.verdict.state) == ("propose", state)


def test_a_stop_wins_over_waits_and_the_last_wait_decides_the_time() -> None:
    waits = [
        RuleResult(rule="soak", state="wait", detail="a", until="2026-06-03T13:00:00Z"),
        RuleResult(rule="freeze", state="wait", detail="b", until="2026-06-05T00:00:00Z"),
    ]
    assert commit_status.of(waits).next_at == "2026-06-05T00:00:00Z"
    endless = RuleResult(rule="window", state="wait", detail="never")
    assert commit_status.of([*waits, endless]).next_at == ""
    people = RuleResult(rule="approvals", state="wait", detail="needs an approval")
    assert commit_status.of([*waits, people]).next_at == "2026-06-05T00:00:00Z"
    stop = RuleResult(rule="risk", state="stop", detail="label")
    assert commit_status.of([*waits, stop]).state == "failure"
    assert (
        commit_status.of([*waits, stop, RuleResult(rule="order", state="unknown", detail="?")]).state
        == "error"
    )
