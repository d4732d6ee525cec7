"""Marks: a written mark is read back, an unreadable one is in force, and no name leads to another ref."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from stagegate.errors import Stop
from stagegate.marks import marks
from stagegate.marks import until as expiry
from stagegate.model import Mark, MarkKind, rfc3339
from tests.promotion.facts_world import NOW

texts = st.text(min_size=1, max_size=40)
moments = st.datetimes(timezones=st.just(NOW.tzinfo)).map(rfc3339)


@given(
    kind=st.sampled_from(get_args(MarkKind)),
    owner=texts,
    reason=texts,
    since=moments,
    until=st.one_of(st.just(""), moments),
    rules=st.lists(texts, max_size=3).map(tuple),
)
@hypothesis(max_examples=60, derandomize=True, deadline=None)
def test_a_mark_is_read_as_it_was_written(
    kind: MarkKind, owner: str, reason: str, since: str, until: str, rules: tuple[str, ...]
) -> None:
    mark = Mark(kind=kind, owner=owner, reason=reason, since=since, until=until, rules=rules)
    assert marks.decode(marks.encode(mark)) == mark


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{", b"[]", b'{"kind": "hold"}', b"\xff\xfe", b'{"kind": "hold", "owner": "a", "reason": "b", "since": "today"}',
     b'{"kind": "hold", "owner": "a", "reason": "b", "since": "2026-01-01T00:00:00Z", "until": "never"}'],
)  # fmt: skip
def test_an_unreadable_mark_is_in_force(content: bytes | None) -> None:
    placed = marks.place(marks.hold_ref("shop", "prod"), "o", content)
    assert placed is not None
    assert placed.mark is None
    assert marks.active(placed.mark, NOW)


def test_the_ref_of_a_mark_names_its_place_and_other_refs_are_no_marks() -> None:
    for ref, place, version in (
        (marks.hold_ref("all", "prod"), "hold", ""),
        (marks.ban_ref("shop", "1.2.0-rc.1+build.5"), "ban", "1.2.0-rc.1+build.5"),
        (marks.override_ref("shop", "prod", "1.2.0"), "override", "1.2.0"),
    ):
        found = marks.place(ref, "o", None)
        assert found is not None
        assert (found.place, found.version) == (place, version)
    for stranger in (
        "refs/heads/main",
        "refs/heads/stagegate/promote/shop/prod",
        "refs/heads/stagegate/hold/shop",
    ):
        assert marks.place(stranger, "o", None) is None
    for name in ("../x", "a/b", "", "x.lock", "a..b", "-x", "a b"):
        with pytest.raises(Stop):
            marks.hold_ref("shop", name)


def test_a_removed_or_expired_mark_does_not_count() -> None:
    mark = marks.make("hold", "octo-lead", "why", NOW, until=expiry.read("2h", NOW))
    assert marks.active(mark, NOW + timedelta(hours=1, minutes=59))
    assert not marks.active(mark, NOW + timedelta(hours=2))
    assert not marks.active(marks.removed(mark, "octo-dev", NOW), NOW)
    assert not marks.active(marks.removed(None, "octo-dev", NOW), NOW)


@pytest.mark.parametrize(
    ("text", "end"),
    [("", ""), ("90m", "2026-06-03T13:30:00Z"), ("3d", "2026-06-06T12:00:00Z"), ("2026-06-04", "2026-06-05T00:00:00Z"),
     ("2026-06-04T10:00:00+02:00", "2026-06-04T08:00:00Z")],
)  # fmt: skip
def test_the_end_of_a_mark_is_read_as_a_duration_or_a_time(text: str, end: str) -> None:
    assert expiry.read(text, NOW) == end


@pytest.mark.parametrize(
    "text", ["soon", "0h", "2 hours", "2026-06-02", "2026-06-03T10:00:00", "2026-13-01", "-1h", "99999999d"]
)
def test_an_invalid_end_is_refused(text: str) -> None:
    with pytest.raises(Stop) as stopped:
        expiry.read(text, NOW)
    assert stopped.value.reason == "bad-input"


def test_a_mark_needs_an_owner_and_a_reason() -> None:
    for owner, reason in (("", "why"), ("octo-lead", "  ")):
        with pytest.raises(Stop):
            marks.make("ban", owner, reason, NOW)
