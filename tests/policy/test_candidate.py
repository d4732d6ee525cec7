"""Which version a promotion chooses, and which one a rollback."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from stagegate.evidence.records import Record
from stagegate.marks.placed import Placed
from stagegate.policy import candidate
from tests.promotion.facts_world import NOW, facts, record, release, settings


def row(*said: tuple[str, str], environment: str = "staging") -> list[Record]:
    """Records, the newest first."""
    return [
        record(release(version), environment, outcome, ago=timedelta(minutes=n), number=100 - n)
        for n, (version, outcome) in enumerate(said)
    ]


@pytest.mark.parametrize(
    ("records", "strategy", "chosen"),
    [
        ([], "latest", ""),
        (row(("1.2.0", "passed"), ("1.1.0", "passed")), "latest", "1.2.0"),
        (row(("1.2.0", "passed"), ("1.1.0", "passed")), "each", "1.1.0"),
        (row(("1.1.0", "passed"), ("1.10.0", "passed")), "latest", "1.10.0"),
        (row(("1.2.0", "failed"), ("1.2.0", "passed"), ("1.1.0", "passed")), "latest", "1.1.0"),
        (row(("1.3.0-rc.1", "passed"), ("1.2.0", "passed")), "latest", "1.2.0"),
        (row(("1.0.0", "passed"), ("0.9.0", "passed")), "latest", ""),
        (row(("1.2.0", "skipped")), "latest", ""),
    ],
)
def test_the_next_version_is_chosen_by_strategy_and_records(
    records: list[Record], strategy: str, chosen: str
) -> None:
    policy = settings(f", promotion: {{strategy: {strategy}}}")
    assert candidate.choose(facts(policy=policy, records={"staging": records}), NOW).version == chosen


def test_a_banned_version_is_skipped_and_a_named_version_is_chosen() -> None:
    known = facts(records={"staging": row(("1.2.0", "passed"), ("1.1.0", "passed"))})
    banned = Placed(ref="b", oid="b", place="ban", app="shop", version="1.2.0")
    known = msgspec.structs.replace(known, marks=(banned,))
    assert candidate.choose(known, NOW).version == "1.1.0"
    assert candidate.choose(msgspec.structs.replace(known, requested="1.2.0"), NOW).version == "1.2.0"


def test_the_first_environment_gets_the_newest_tag() -> None:
    known = facts(environment="staging", staging="1.0.0", tags=("1.0.0", "1.1.0", "1.2.0-rc.1", "1.10.0"))
    assert candidate.choose(known, NOW).version == "1.10.0"
    final = msgspec.structs.replace(known, tags=("1.0.0", "1.1.0-rc.1"))
    assert candidate.choose(final, NOW).version == "1.1.0-rc.1"


@pytest.mark.parametrize(
    ("records", "target"),
    [
        ([], ""),
        (row(("1.1.0", "passed"), environment="prod"), ""),
        (row(("1.1.0", "failed"), ("1.0.5", "passed"), ("1.0.0", "passed"), environment="prod"), "1.0.5"),
        (
            row(
                ("1.1.0", "passed"),
                ("1.0.5", "failed"),
                ("1.0.5", "passed"),
                ("1.0.0", "passed"),
                environment="prod",
            ),
            "1.0.0",
        ),
        (row(("1.2.0", "passed"), ("1.1.0", "passed"), environment="prod"), ""),
    ],
)
def test_a_rollback_returns_to_the_last_good_release(records: list[Record], target: str) -> None:
    known = facts(prod="1.1.0", records={"prod": records}, mode="rollback")
    assert candidate.rollback_target(known, NOW).version == target
