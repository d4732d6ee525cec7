"""The decision of version-bump, without a repository."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stagegate.errors import Stop
from stagegate.release.bump import tags
from stagegate.release.bump.changes import CommitFact
from stagegate.release.bump.plan import plan, verify
from stagegate.release.bump.plan_facts import BumpFacts
from stagegate.settings import Settings, VersionFile, Versioning
from stagegate.versions import Version

SETTINGS = Settings(
    app="shop", version=Versioning(files=("VERSION", VersionFile(file="Chart.yaml", path="version")))
)


def commit(subject: str, body: str = "", *, counts: bool = True) -> CommitFact:
    return CommitFact(sha="c" * 40, subject=subject, body=body, counts=counts)


def facts(
    *commits: CommitFact, version: str = "1.0.0", tags: tuple[str, ...] = ("1.0.0",), **changes: Any
) -> BumpFacts:
    contents = {"VERSION": f"{version}\n".encode(), "Chart.yaml": f"version: {version}\n".encode()}
    values: dict[str, Any] = {
        "branch": "main",
        "head": "a" * 40,
        "today": "2026-01-05",
        "tags": dict.fromkeys(tags, "b" * 40),
        "reachable": tags,
        "commits": commits,
        "contents": contents,
    }
    return BumpFacts(**{**values, **changes})


@pytest.mark.parametrize(
    ("known", "bump", "version"),
    [
        (facts(commit("feat: a")), "auto", "1.1.0"),
        (facts(commit("fix: a"), commit("chore: b")), "auto", "1.0.1"),
        (facts(commit("feat!: a")), "auto", "2.0.0"),
        (facts(commit("feat!: a"), version="0.3.1", tags=("0.3.1",)), "auto", "0.4.0"),
        (facts(commit("chore: a")), "minor", "1.1.0"),
        (facts(commit("chore: a")), "2.0.0-rc.1", "2.0.0-rc.1"),
        (
            facts(commit("fix: a"), version="1.1.0-rc.10", tags=("1.0.0", "1.1.0-rc.2", "1.1.0-rc.10")),
            "auto",
            "1.1.0-rc.11",
        ),
        (facts(commit("fix: a"), version="2.0.0-rc8", tags=("1.0.0", "2.0.0-rc8")), "auto", "2.0.0-rc9"),
        (facts(commit("fix: a"), version="2.0.0-rc9", tags=("1.0.0", "2.0.0-rc9")), "auto", "2.0.0-rc9.1"),
        (
            facts(commit("fix: a"), version="2.0.0-rc9.1", tags=("2.0.0-rc9", "2.0.0-rc9.1")),
            "auto",
            "2.0.0-rc9.2",
        ),
        (facts(commit("fix: a"), version="2.0.0-rc-99", tags=("2.0.0-rc-99",)), "auto", "2.0.0-rc-99.1"),
        (facts(commit("fix: a"), version="2.0.0-9", tags=("1.0.0", "2.0.0-9")), "auto", "2.0.0-10"),
        (
            facts(
                commit("fix: a"), version="2.0.0-b8", tags=("2.0.0-b8", "2.0.0-b9"), reachable=("2.0.0-b8",)
            ),
            "prerelease",
            "2.0.0-b8.1",
        ),
        (facts(commit("docs: a"), version="1.1.0-rc.1", tags=("1.0.0", "1.1.0-rc.1")), "release", "1.1.0"),
        (facts(commit("feat: a")), "prerelease", "1.1.0-rc.1"),
        (facts(commit("feat!: a"), version="1.0.1-rc.1", tags=("1.0.0", "1.0.1-rc.1")), "auto", "2.0.0"),
        (facts(commit("fix: a"), tags=("1.0.0", "1.0.1"), reachable=("1.0.0",)), "auto", "1.0.2"),
        (
            facts(
                commit("fix: a"),
                version="1.1.0-beta.2",
                tags=("1.0.0", "1.1.0-beta.2", "1.1.0"),
                reachable=("1.0.0", "1.1.0-beta.2"),
            ),
            "auto",
            "1.1.1-beta.1",
        ),
        (facts(commit("fix: a"), tags=("1.0.0", "1.9.0"), reachable=("1.0.0",)), "auto", "1.0.1"),
        (facts(commit("anything"), tags=()), "auto", "1.0.0"),
        (facts(commit("anything"), version="0.0.0", tags=()), "auto", "0.1.0"),
    ],
)
def test_commits_decide_the_next_version(known: BumpFacts, bump: str, version: str) -> None:
    assert plan(SETTINGS, known, bump).version == version


def test_commits_that_do_not_count_release_nothing() -> None:
    known = facts(commit("feat: x", counts=False), commit("docs: z"))
    assert plan(SETTINGS, known, "auto").reason == "no-release-needed"


def test_a_tagged_head_is_already_released() -> None:
    decided = plan(SETTINGS, facts(tags=("1.0.0",), head="b" * 40), "auto")
    assert (decided.reason, decided.version, decided.commit) == ("already-released", "1.0.0", "b" * 40)


def test_an_earlier_attempt_is_completed_not_repeated() -> None:
    decided = plan(SETTINGS, facts(commit("feat: a"), own=("d" * 40, "1.1.0")), "auto")
    assert (decided.reason, decided.version, decided.commit, decided.files) == (
        "released",
        "1.1.0",
        "d" * 40,
        {},
    )


@pytest.mark.parametrize(
    ("bump", "reason"),
    [
        ("1.0.0", "tag-taken"),
        ("0.9.0", "older-version"),
        *((bad, "bad-input") for bad in ("1.2", "v1.2.3", "01.2.3", "latest", "1.2.3\n4", "9" * 300)),
    ],
)
def test_a_version_that_does_not_fit_is_refused(bump: str, reason: str) -> None:
    with pytest.raises(Stop) as stop:
        plan(SETTINGS, facts(commit("feat: a"), head="e" * 40), bump)
    assert stop.value.reason == reason


@pytest.mark.parametrize(
    ("tag", "is_foreign"),
    [("shop@1.0.0", True), ("release1.0.0", True), ("V1.0.0", True), ("shop-1.0.0-rc.1", True), ("v1.0.0", False),
     ("1.0.0", False), ("shop-1.0", False), ("10.1.0.0", False), ("latest", False)],
)  # fmt: skip
def test_a_version_with_an_unknown_prefix_is_recognised_with_or_without_a_mark(
    tag: str, is_foreign: bool
) -> None:
    assert tags.foreign({tag: "a"}, Settings(app="shop")) == ((tag,) if is_foreign else ())


def test_a_first_release_is_refused_only_for_a_tag_of_exactly_this_version() -> None:
    untagged = facts(commit("feat: open"), tags=())
    for tag, is_taken in (("release1.0.0", True), ("shop-1.0.0", True), ("shop-11.0.0", False)):
        known = msgspec.structs.replace(untagged, foreign=(tag,))
        if is_taken:
            with pytest.raises(Stop, match="old-prefixes"):
                plan(SETTINGS, known, "auto")
        else:
            assert plan(SETTINGS, known, "auto").version == "1.0.0"


def test_without_version_files_the_tag_names_the_version() -> None:
    settings = Settings(app="shop", version=Versioning(files=()))
    decided = plan(settings, facts(commit("feat: a"), contents={}), "auto")
    assert (decided.reason, decided.tag, decided.files) == ("released", "v1.1.0", {})


def test_files_that_disagree_are_named_with_their_lines() -> None:
    contents = {"VERSION": b"1.0.0\n", "Chart.yaml": b"# c\nversion: 1.0.1\n"}
    with pytest.raises(Stop, match=r"Chart.yaml line 2: 1\.0\.1"):
        plan(SETTINGS, facts(commit("feat: a"), contents=contents), "auto")
    found = verify(SETTINGS, facts(contents=contents, head="b" * 40), "")
    assert [(f.file, f.line) for f in found.findings] == [("Chart.yaml", 2)]


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.sampled_from(["feat: a", "fix: b", "chore: c", "feat!: d", "x"]), max_size=6))
def test_a_version_only_goes_up_and_is_never_reused(subjects: list[str]) -> None:
    decided = plan(SETTINGS, facts(*map(commit, subjects), tags=("1.0.0", "0.9.0")), "auto")
    if decided.reason == "released":
        assert decided.version not in ("1.0.0", "0.9.0")
        assert decided.files["VERSION"].decode() == f"{decided.version}\n"


def test_a_prerelease_never_sorts_below_the_previous_one_and_another_name_is_explained() -> None:
    decided = plan(
        SETTINGS, facts(commit("fix: a"), version="2.0.0-rc9", tags=("1.0.0", "2.0.0-rc9")), "auto"
    )
    assert "The version after 2.0.0-rc9 is 2.0.0-rc9.1, because SemVer" in decided.warnings[0]
    dotted = plan(SETTINGS, facts(commit("fix: a"), version="2.0.0-rc.9", tags=("2.0.0-rc.9",)), "auto")
    assert (dotted.version, dotted.warnings) == ("2.0.0-rc.10", ())


@settings(deadline=None)
@given(st.from_regex(r"[a-z]{0,3}-?\.?[0-9]{1,3}", fullmatch=True), st.sets(st.integers(0, 120), max_size=9))
def test_every_prerelease_is_above_the_one_that_it_follows(name: str, other_lines: set[int]) -> None:
    if not Version.is_valid(f"2.0.0-{name}"):
        return
    newest = f"2.0.0-{name}"
    head = name.rstrip("0123456789")
    tags = (newest, *(f"2.0.0-{head}{number}" for number in sorted(other_lines)))
    known = facts(
        commit("fix: a"), version=newest, tags=tuple(filter(Version.is_valid, tags)), reachable=(newest,)
    )
    following = plan(SETTINGS, known, "auto").version
    assert Version.parse(following) > Version.parse(newest)
    assert following not in known.tags


def named(sha: str, subject: str, body: str = "") -> CommitFact:
    return CommitFact(sha=sha * 40, subject=subject, body=body)


@pytest.mark.parametrize(
    ("newest_first", "version"),
    [
        (
            (named("b", "revert: feat: tea", f"\nThis reverts commit {'a' * 40}."), named("a", "feat: tea")),
            "",
        ),
        ((named("b", "revert: feat: tea (#3)"), named("a", "feat: tea (#2)")), ""),
        ((named("b", "revert: feat: tea"), named("a", "feat: coffee")), "1.1.0"),
        ((named("b", "revert: tea", f"This reverts commit {'9' * 40}."),), "1.0.1"),
        (
            (
                named("c", 'Revert "feat: tea" and more', '\n* Revert "feat: tea"'),
                named("b", "fix: b"),
                named("a", "feat: tea"),
            ),
            "1.1.0",
        ),
        (
            (
                named(
                    "c",
                    "revert: tea and coffee",
                    "This reverts commit aaaaaaa.\nThis reverts commit bbbbbbb.",
                ),
                named("b", "feat: coffee"),
                named("a", "feat: tea"),
            ),
            "",
        ),
        (
            (
                named(
                    "c",
                    "revert: tea and coffee",
                    "This reverts commit aaaaaaa.\nThis reverts commit 9999999.",
                ),
                named("b", "docs: b"),
                named("a", "feat: tea"),
            ),
            "1.0.1",
        ),
        (
            (named("c", 'Reapply "feat: tea"'), named("b", "revert: feat: tea"), named("a", "feat: tea")),
            "1.1.0",
        ),
    ],
)
def test_a_change_and_its_revert_cancel_in_every_form(
    newest_first: tuple[CommitFact, ...], version: str
) -> None:
    decided = plan(SETTINGS, facts(*newest_first), "auto")
    assert (decided.version if decided.reason == "released" else "") == version
