"""Evidence counts while record and commit status agree: a deleted or unconfirmed record is unknown."""

from __future__ import annotations

import msgspec
import pytest

from stagegate.evidence import agreement
from stagegate.evidence import verdict as evidence_verdict
from stagegate.evidence.records import Record
from stagegate.evidence.verdict import Verdict
from stagegate.model import Actor, Evidence, Release, WorkflowRun

APP = Actor(kind="Bot", id=7, login="gatekeeper[bot]")
WRITER = Actor(kind="User", id=9, login="octo-dev")
COMMIT = "c" * 40
RELEASE = Release(app="shop", version="1.1.0", tag="v1.1.0", commit=COMMIT)


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A commit status."""

    state: str
    created_at: str
    description: str = "1.1.0 passed: 3 checks"
    context: str = "stagegate/shop/staging"
    creator: Actor | None = APP


def at(minute: int) -> str:
    return f"2026-06-03T12:{minute:02}:00Z"


def record(minute: int, outcome: str = "passed", version: str = "1.1.0", commit: str = COMMIT) -> Record:
    evidence = Evidence(
        kind="rollout",
        app="shop",
        environment="staging",
        outcome=outcome,  # type: ignore[arg-type]
        reason=outcome,
        version=version,
        tag=f"v{version}",
        commit=commit,
        chart=None,
        images=(),
        started=at(minute),
        finished=at(minute),
        run=WorkflowRun(id="1"),
        actor="octo-dev",
    )
    return Record(id=minute, sha=commit, created=at(minute), creator=APP, evidence=evidence, since=at(minute))


def state(found: list[Record], words: list[Word]) -> Verdict:
    checked = agreement.checked(found, words, "staging", RELEASE, (APP,))
    assert [r.created for r in checked] == sorted((r.created for r in checked), reverse=True)
    return evidence_verdict.of(checked, RELEASE)


def test_records_that_agree_count() -> None:
    good = state([record(5)], [Word(state="success", created_at=at(5))])
    assert (good.state, good.since) == ("passed", at(5))
    running = Word(state="pending", created_at=at(9), description="1.1.0: the gate runs")
    crashed = Word(state="error", created_at=at(8), description="1.1.0: no verdict")
    assert state([record(5)], [running, crashed, Word(state="success", created_at=at(5))]).state == "passed"
    failed = Word(state="failure", created_at=at(5), description="1.1.0 failed: checks-failed")
    assert state([record(5, "failed")], [failed]).state == "failed"
    assert state([], []).state == "none"


@pytest.mark.parametrize(
    ("found", "words", "why"),
    [
        ([record(5)], [], "no commit status confirms it"),
        ([], [Word(state="success", created_at=at(5))], "is missing"),
        ([record(5)], [Word(state="failure", created_at=at(8)), Word(state="success", created_at=at(5))], "newest commit status"),
        ([record(5)], [Word(state="success", created_at=at(5), creator=WRITER)], "no commit status confirms it"),
        ([record(5)], [Word(state="success", created_at=at(5), context="stagegate/shop/prod")], "no commit status"),
        ([record(5)], [Word(state="failure", created_at=at(8), description="checks-failed"), Word(state="success", created_at=at(5))], "newest"),
        ([record(4, version="1.0.0", commit="a" * 40)], [Word(state="failure", created_at=at(8))], "is missing"),
    ],
)  # fmt: skip
def test_records_that_do_not_agree_are_unknown(found: list[Record], words: list[Word], why: str) -> None:
    verdict = state(found, words)
    assert verdict.state == "unknown"
    assert why in verdict.detail


def test_a_status_about_another_version_of_the_commit_does_not_count() -> None:
    other = Word(state="failure", created_at=at(8), description="1.1.0-rc.1 failed: checks-failed")
    assert state([record(5)], [other, Word(state="success", created_at=at(5))]).state == "passed"


def test_a_failure_whose_record_was_deleted_does_not_shorten_the_soak() -> None:
    words = [
        Word(state="success", created_at=at(9)),
        Word(state="failure", created_at=at(7), description="1.1.0 failed: checks-failed"),
        Word(state="success", created_at=at(5)),
    ]
    verdict = state([record(9), record(5)], words)
    assert (verdict.state, verdict.since) == ("passed", at(9))


def test_an_unknown_version_does_not_affect_another() -> None:
    found = [record(5), record(3, version="1.0.0", commit="a" * 40)]
    checked = agreement.checked(found, [], "staging", RELEASE, (APP,))
    before = Release(app="shop", version="1.0.0", tag="v1.0.0", commit="a" * 40)
    assert evidence_verdict.of(checked, before).state == "passed"
