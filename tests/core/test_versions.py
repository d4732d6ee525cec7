"""Versions as the library semver has them: the same valid texts, the same order and the same next versions."""

from __future__ import annotations

import pytest
import semver
from hypothesis import given, settings
from hypothesis import strategies as st

from stagegate.versions import Version, compare

_NUMBER = st.integers(0, 120).map(str)
_WORD = st.one_of(_NUMBER, st.from_regex(r"[0-9A-Za-z-]{1,4}", fullmatch=True))
_TAIL = st.lists(_WORD, min_size=1, max_size=3).map(".".join)
_TEXT = st.builds(
    lambda core, rc, build: ".".join(core) + (f"-{rc}" if rc else "") + (f"+{build}" if build else ""),
    st.tuples(_NUMBER, _NUMBER, _NUMBER),
    st.none() | _TAIL,
    st.none() | _TAIL,
)


@settings(deadline=None)  # a busy machine is no fault
@given(first=_TEXT, second=_TEXT)
def test_order_and_next_versions_are_those_of_the_library(first: str, second: str) -> None:
    for text in (first, second):
        assert Version.is_valid(text) == semver.Version.is_valid(text)
    if not (Version.is_valid(first) and Version.is_valid(second)):
        assert compare(first, second) is None
        return
    mine, theirs = Version.parse(first), semver.Version.parse(first)
    assert str(mine) == str(theirs) == first
    assert compare(first, second) == theirs.compare(second)
    assert (mine == Version.parse(second)) == (theirs == second)
    assert str(mine.finalize_version()) == str(theirs.finalize_version())
    for level in ("major", "minor", "patch"):
        final = theirs.finalize_version()
        assert str(mine.next_version(level)) == str(final.next_version(level))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1.0.0",
        "1.0",
        "1.0.0.0",
        "01.0.0",
        "1.0.0-01",
        "1.0.0-",
        "1.0.0+",
        "1.0.0 ",
        "1.0.0\n",
        "1.0.0-a..b",
        "\u0661.0.0",
    ],
)
def test_a_text_that_is_not_a_version_is_refused(text: str) -> None:
    assert not Version.is_valid(text)
    assert not semver.Version.is_valid(text)
    with pytest.raises(ValueError, match="SemVer"):
        Version.parse(text)
