"""Each rule, from facts made by hand."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from stagegate.difference.change import ImageSeen, RiskSeen
from stagegate.marks.placed import Placed
from stagegate.model import Image, Mark, digest_of
from stagegate.pins.pinned_version import PinnedVersion
from stagegate.policy import rules
from stagegate.policy.rules import (
    ban,
    direction,
    evidence,
    freeze,
    hold,
    images,
    irreversible,
    order,
    pins,
    prerelease,
    risk,
    soak,
    window,
)
from tests.promotion.facts_world import BOT, IMAGE, NOW, facts, record, release, settings, subject

ONE = release("1.1.0")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("records", "state", "reason"),
    [
        ([], "stop", "no-evidence"),
        ([record(ONE)], "pass", ""),
        ([record(ONE, outcome="failed")], "stop", "no-evidence"),
        ([record(ONE, outcome="failed", ago=HOUR, number=2), record(ONE)], "stop", "evidence-revoked"),
        ([record(ONE, ago=HOUR, number=2), record(ONE, outcome="failed")], "pass", ""),
        ([record(ONE, outcome="skipped", kind="skip")], "stop", "no-evidence"),
        ([record(ONE, outcome="adopted", kind="adopt")], "stop", "no-evidence"),
        ([record(release("1.1.0", salt="x"))], "stop", "evidence-mismatch"),
        ([record(release("1.2.0"))], "stop", "no-evidence"),
        ([record(ONE, outcome="failed", kind="look", ago=HOUR, number=2), record(ONE)], "pass", ""),
    ],
)
def test_the_rule_evidence_needs_a_pass_of_the_same_digests(
    records: list[Any], state: str, reason: str
) -> None:
    known = facts(records={"staging": records})
    result = evidence.check(subject(), known, NOW)
    assert result.state == state
    assert not reason or rules.reason(result, subject(), known) == reason


def test_an_unreadable_record_is_unknown_and_a_release_without_digests_has_no_evidence() -> None:
    unreadable = record(ONE, ago=HOUR, number=2).__class__(
        id=9,
        sha=ONE.commit,
        created="2026-06-03T11:30:00Z",
        creator=BOT,
        evidence=None,
        since="2026-06-03T11:31:00Z",
    )
    known = facts(records={"staging": [unreadable, record(ONE)]})
    assert evidence.check(subject(), known, NOW).state == "unknown"
    assert evidence.check(subject(release=None, release_trouble="503"), facts(), NOW).state == "unknown"
    assert evidence.check(subject(release=None, release_absent="no tag"), facts(), NOW).state == "stop"
    bare = ONE.__class__(app="shop", version="1.1.0", tag="v1.1.0", commit=ONE.commit)
    known = facts(records={"staging": [record(bare)]})
    assert evidence.check(subject(release=bare), known, NOW).state == "stop"


def test_the_evidence_of_a_rollback_is_that_of_its_environment() -> None:
    back = subject("1.0.0", "1.1.0", kind="rollback")
    assert evidence.check(back, facts(records={"staging": [record(release("1.0.0"))]}), NOW).state == "stop"
    for outcome, kind in (("passed", "rollout"), ("adopted", "adopt")):
        known = facts(records={"prod": [record(release("1.0.0"), "prod", outcome, kind=kind)]})
        assert evidence.check(back, known, NOW).state == "pass"


@pytest.mark.parametrize(
    ("staging", "records", "state"),
    [
        ("1.1.0", [], "pass"),
        ("1.0.0", [record(ONE)], "stop"),
        ("1.2.0", [record(ONE)], "stop"),
        ("1.2.0", [record(release("1.2.0"), ago=HOUR, number=2), record(ONE)], "pass"),
        ("1.2.0", [record(release("1.2.0"), outcome="failed", ago=HOUR, number=2), record(ONE)], "stop"),
        ("1.2.0", [record(release("1.2.0"))], "stop"),
        ("", [record(ONE)], "unknown"),
    ],
)
def test_the_rule_order_needs_the_environment_before(staging: str, records: list[Any], state: str) -> None:
    assert order.check(subject(), facts(staging=staging, records={"staging": records}), NOW).state == state


def test_the_rule_order_uses_the_newest_record_where_a_range_is_deployed() -> None:
    ranged = PinnedVersion(environment="staging", is_range=True, trouble="a range")
    known = facts(
        records={"staging": [record(ONE)]},
        standings=(ranged, PinnedVersion(environment="prod", version="1.0.0")),
    )
    assert order.check(subject(), known, NOW).state == "pass"


@pytest.mark.parametrize(("ago", "state"), [(59, "wait"), (60, "pass"), (61, "pass")])
def test_soak_counts_to_the_second(ago: int, state: str) -> None:
    known = facts(
        policy=settings(", soak: 1h"), records={"staging": [record(ONE, ago=timedelta(minutes=ago))]}
    )
    result = soak.check(subject(), known, NOW)
    assert result.state == state
    assert result.until == ("2026-06-03T12:01:00Z" if state == "wait" else "")


@pytest.mark.parametrize(
    ("minutes", "outcome", "strategy", "state", "said"),
    [
        (
            1,
            "passed",
            "latest",
            "wait",
            "good in staging for only 60s before 1.2.0 replaced it, but needs 1h; only the release that runs",
        ),
        (
            45,
            "failed",
            "latest",
            "wait",
            "good in staging for only 45m before 1.2.0 replaced it, but needs 1h",
        ),
        (59, "passed", "each", "wait", "ban 1.1.0 to skip this release"),
        (60, "passed", "latest", "pass", ""),
    ],
)
def test_soak_ends_when_another_release_is_deployed(
    minutes: int, outcome: str, strategy: str, state: str, said: str
) -> None:
    """A release that ran for one minute has not soaked an hour later."""
    day = timedelta(days=1)
    records = [
        record(release("1.3.0"), ago=timedelta(minutes=5), number=3),
        record(release("1.2.0"), outcome=outcome, ago=day - timedelta(minutes=minutes), number=2),
        record(ONE, ago=day, number=1),
    ]
    policy = settings(f", soak: 1h, promotion: {{strategy: {strategy}}}")
    result = soak.check(subject(), facts(policy=policy, records={"staging": records}), NOW)
    assert (result.state, result.until) == (state, "")
    assert said in result.detail


def test_soak_begins_again_after_a_failure() -> None:
    good = record(ONE, ago=timedelta(minutes=10), number=3)
    bad = record(ONE, outcome="failed", ago=timedelta(minutes=30), number=2)
    old = record(ONE, ago=timedelta(hours=5), number=1)
    known = facts(policy=settings(", soak: 1h"), records={"staging": [good, bad, old]})
    assert soak.check(subject(), known, NOW).until == "2026-06-03T12:50:00Z"


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-12-19T22:59:59+00:00", "pass"),
        ("2026-12-19T23:00:00+00:00", "wait"),
        ("2027-01-02T22:59:59+00:00", "wait"),
        ("2027-01-02T23:00:00+00:00", "pass"),
    ],
)
def test_a_freeze_includes_its_last_day_in_its_time_zone(now: str, state: str) -> None:
    text = ", freeze: [{from: 2026-12-20, to: 2027-01-02, timezone: Europe/Berlin, reason: winter}]"
    result = freeze.check(subject(), facts(policy=settings(text)), datetime.fromisoformat(now))
    assert result.state == state
    assert result.until == ("2027-01-02T23:00:00Z" if state == "wait" else "")


def test_a_freeze_in_an_unknown_time_zone_is_unknown() -> None:
    text = ", freeze: [{from: 2026-12-20, to: 2027-01-02, timezone: Europe/Nowhere, reason: winter}]"
    assert freeze.check(subject(), facts(policy=settings(text)), NOW).state == "unknown"


OFFICE = "FREQ=WEEKLY;BYDAY=TU,WE;BYHOUR=9;BYMINUTE=0;BYSECOND=0"


@pytest.mark.parametrize(
    ("rule", "now", "state", "until"),
    [
        (OFFICE, "2026-06-03T06:59:59+00:00", "wait", "2026-06-03T07:00:00Z"),
        (OFFICE, "2026-06-03T07:00:00+00:00", "pass", ""),
        (OFFICE, "2026-06-03T14:59:59+00:00", "pass", ""),
        (OFFICE, "2026-06-03T15:00:00+00:00", "wait", "2026-06-09T07:00:00Z"),
        (OFFICE, "2026-10-28T08:00:00+00:00", "pass", ""),  # winter time: 09:00 is 08:00 in UTC
        (OFFICE, "2026-10-28T07:30:00+00:00", "wait", "2026-10-28T08:00:00Z"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2024-01-01T08:00:00+00:00", "wait", "2024-01-14T23:00:00Z"),
        ("FREQ=WEEKLY;BYHOUR=9", "2026-06-03T08:00:00+00:00", "wait", "2026-06-08T07:00:00Z"),  # a Monday, in
        ("FREQ=WEEKLY;BYHOUR=9", "2027-06-02T08:00:00+00:00", "wait", "2027-06-07T07:00:00Z"),  # every year
        ("FREQ=DAILY;UNTIL=20250101T000000", "2026-06-03T12:00:00+00:00", "wait", ""),
        ("EVERY TUESDAY", "2026-06-03T12:00:00+00:00", "unknown", ""),
        ("FREQ=SOMETIMES", "2026-06-03T12:00:00+00:00", "unknown", ""),
    ],
)
def test_a_window_is_open_in_its_hours_and_days(rule: str, now: str, state: str, until: str) -> None:
    text = f', window: [{{rrule: "{rule}", duration: 8h, timezone: Europe/Berlin}}]'
    result = window.check(subject(), facts(policy=settings(text)), datetime.fromisoformat(now))
    assert (result.state, result.until) == (state, until)


def hold_mark(app: str = "shop", environment: str = "prod", **changes: Any) -> Placed:
    mark = Mark(
        kind="hold", owner="octo-lead", reason="moving the database", since="2026-06-03T10:00:00Z", **changes
    )
    return Placed(
        ref=f"refs/heads/stagegate/hold/{app}/{environment}",
        oid="a" * 40,
        place="hold",
        app=app,
        environment=environment,
        mark=mark,
    )


@pytest.mark.parametrize(
    ("placed", "state"),
    [
        (hold_mark(), "stop"),
        (hold_mark("all"), "stop"),
        (hold_mark("all", "all"), "stop"),
        (hold_mark("other"), "pass"),
        (hold_mark(environment="staging"), "pass"),
        (hold_mark(until="2026-06-03T11:59:59Z"), "pass"),
        (hold_mark(until="2026-06-03T12:00:01Z"), "stop"),
        (Placed(ref="r", oid="o", place="hold", app="shop", environment="prod", mark=None), "stop"),
    ],
)
def test_a_hold_stops_its_environment(placed: Placed, state: str) -> None:
    result = hold.check(subject(), facts(marks=(placed,)), NOW)
    assert result.state == state
    assert state == "pass" or placed.mark is None or "octo-lead: moving the database" in result.detail


def test_a_ban_stops_one_version_of_one_app() -> None:
    placed = Placed(
        ref="refs/heads/stagegate/ban/shop/1.1.0", oid="o", place="ban", app="shop", version="1.1.0"
    )
    assert ban.check(subject(), facts(marks=(placed,)), NOW).state == "stop"
    assert ban.check(subject("1.2.0"), facts(marks=(placed,)), NOW).state == "pass"


@pytest.mark.parametrize(
    ("before", "state"),
    [("1.0.0", "pass"), ("1.1.0-rc.9", "pass"), ("1.2.0", "stop"), ("", "unknown"), ("latest", "unknown")],
)
def test_the_rule_direction_refuses_an_older_version(before: str, state: str) -> None:
    assert direction.check(subject(before=before), facts(), NOW).state == state


def test_prereleases_enter_only_where_the_settings_allow_them() -> None:
    candidate = subject("1.1.0-rc.1")
    assert prerelease.check(candidate, facts(), NOW).state == "stop"
    assert prerelease.check(candidate, facts(policy=settings(", prereleases: true")), NOW).state == "pass"


def test_the_images_of_a_release_must_have_their_recorded_digests() -> None:
    good = ImageSeen(reference=f"{IMAGE}:v1.1.0", repository=IMAGE, digest=ONE.images[0].digest)
    moved = ImageSeen(reference=f"{IMAGE}:v1.1.0", repository=IMAGE, digest=digest_of(b"other"))
    silent = ImageSeen(reference=f"{IMAGE}:v1.1.0", repository=IMAGE, trouble="503")
    foreign = ImageSeen(reference="docker.io/library/redis:7", repository="docker.io/library/redis")

    def state(*seen: ImageSeen, policy: Any = None, **changes: Any) -> str:
        return images.check(subject(images=seen, **changes), facts(policy=policy), NOW).state

    assert state(good, foreign) == "pass"
    assert state(moved) == "stop"
    assert state(silent) == "unknown"
    assert state(foreign, policy=settings(more="images-strict: true\n")) == "stop"
    other = ONE.__class__(
        app="shop",
        version="1.1.0",
        tag="v1.1.0",
        commit=ONE.commit,
        images=(Image(reference="ghcr.io/acme/x", digest=digest_of(b"x")),),
    )
    assert state(good, release=other) == "stop"
    unrecorded = ONE.__class__(
        app="shop", version="1.1.0", tag="v1.1.0", commit=ONE.commit, images=ONE.images, recorded=False
    )
    assert state(good, release=unrecorded) == "stop"


def test_an_image_with_the_releases_tag_is_recorded_or_allowed() -> None:
    """Without `images-strict`: the image belongs to this release, and nobody tested it."""
    worker = "ghcr.io/acme/worker"

    def state(reference: str, more: str = "") -> str:
        seen = ImageSeen(reference=reference, repository=worker, digest=digest_of(b"worker"))
        return images.check(subject(images=(seen,)), facts(policy=settings(more=more)), NOW).state

    assert state(f"{worker}:v1.1.0") == "stop"
    assert state(f"{worker}:v1.1.0@{digest_of(b'worker')}") == "stop"
    assert state(f"{worker}:v1.0.0") == "pass"
    assert state(f"{worker}@{digest_of(b'worker')}") == "pass"
    assert state(f"{worker}:v1.1.0", f"images-allowed: [{worker}]\n") == "pass"


@pytest.mark.parametrize("written", ["acme/worker", "docker.io/acme/worker", "index.docker.io/acme/worker"])
def test_an_image_of_docker_hub_is_the_same_however_it_is_written(written: str) -> None:
    """A tag is read from the reference as the chart writes it: a name without a host is longer when it is read."""

    def state(more: str = "", tag: str = "v1.1.0") -> str:
        seen = ImageSeen(reference=f"{written}:{tag}", repository="docker.io/acme/worker", digest="")
        return images.check(subject(images=(seen,)), facts(policy=settings(more=more)), NOW).state

    assert (state(), state(tag="v1.0.0")) == ("stop", "pass")
    for allowed in ("acme/worker", "docker.io/acme/worker", "index.docker.io/acme/worker"):
        assert state(f"images-allowed: [{allowed}]\n") == "pass"


def test_a_rollback_to_an_adopted_release_without_a_record_is_allowed() -> None:
    good = ImageSeen(reference=f"{IMAGE}:v1.1.0", repository=IMAGE, digest=ONE.images[0].digest)
    unrecorded = msgspec.structs.replace(ONE, recorded=False)

    def state(kind: Any, outcome: str) -> str:
        verdict = record(unrecorded, "prod", outcome, kind="adopt" if outcome == "adopted" else "rollout")
        given = facts(records={"prod": [verdict]})
        return images.check(subject(images=(good,), release=unrecorded, kind=kind), given, NOW).state

    assert state("rollback", "adopted") == "pass"
    assert state("rollback", "failed") == "stop"
    assert state("promote", "adopted") == "stop"


def test_a_risk_needs_its_label() -> None:
    risky = (RiskSeen(kind="replicas-zero", object="Deployment/shop", detail="spec.replicas goes to 0"),)
    result = risk.check(subject(risks=risky), facts(), NOW)
    assert result.state == "stop"
    assert "stagegate/risk:replicas-zero" in result.detail
    assert (
        risk.check(subject(risks=risky, labels=("stagegate/risk:replicas-zero",)), facts(), NOW).state
        == "pass"
    )
    assert risk.check(subject(render_trouble="helm failed"), facts(), NOW).state == "unknown"


def test_a_marked_migration_stops_a_rollback_and_pins_must_name_one_release() -> None:
    assert (
        irreversible.check(subject(irreversible=("Job/migrate runs as a hook",)), facts(), NOW).state
        == "stop"
    )
    assert irreversible.check(subject(), facts(), NOW).state == "pass"
    assert pins.check(subject(pins_trouble="a says 1.0.0, b says 1.1.0"), facts(), NOW).state == "stop"


def test_an_override_sets_aside_only_its_rules_for_its_version_and_time() -> None:
    mark = Mark(
        kind="override", owner="octo-lead", reason="hotfix", since="2026-06-03T10:00:00Z", until="2026-06-03T13:00:00Z", rules=("evidence",)
    )  # fmt: skip
    placed = Placed(
        ref="r", oid="o", place="override", app="shop", environment="prod", version="1.1.0", mark=mark
    )
    known = facts(staging="1.0.0", marks=(placed,))

    def states(version: str, when: datetime) -> dict[str, str]:
        return {r.rule: r.state for r in rules.judge(subject(version), known, when)}

    assert (states("1.1.0", NOW)["evidence"], states("1.1.0", NOW)["order"]) == ("pass", "stop")
    assert states("1.2.0", NOW)["evidence"] == "stop"
    assert states("1.1.0", datetime(2026, 6, 3, 13, tzinfo=timezone.utc))["evidence"] == "stop"
    overridden = [r for r in rules.judge(subject(), known, NOW) if r.override]
    assert "octo-lead: hotfix" in overridden[0].override
    unreadable = Placed(ref="r", oid="o", place="override", app="shop", environment="prod", version="1.1.0")
    assert {r.rule: r.state for r in rules.judge(subject(), facts(marks=(unreadable,)), NOW)}[
        "evidence"
    ] == "stop"


def test_the_reviews_are_read_where_any_rule_looks_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    people, by_us, reviewed = (
        settings(f", promotion: {{strategy: latest{more}}}").environment("prod")
        for more in ("", ", merge: stagegate", ", approvals: 2")
    )
    assert [rules.need_reviews([one]) for one in (people, by_us, reviewed)] == [False, True, True]
    other = msgspec.structs.replace(risk.RULE, name="second-pair", needs_reviews=lambda *_: True)
    monkeypatch.setitem(rules.RULES, other.name, other)
    assert rules.need_reviews([people])
