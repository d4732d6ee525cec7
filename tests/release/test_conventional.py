import pytest

from stagegate.release.conventional import read, scopes


@pytest.mark.parametrize(
    ("subject", "body", "level"),
    [
        ("feat: a", "", "minor"),
        ("Feat(api): a", "", "minor"),
        ("fix: a", "", "patch"),
        ("perf(db): a", "", "patch"),
        ("feat!: a", "", "major"),
        ("chore!: a", "", "major"),
        ("fix: a", "text\n\nBREAKING CHANGE: b", "major"),
        ("fix: a", "not a BREAKING CHANGE: b", "patch"),
        ('Revert "feat: a"', "", "patch"),
        ("chore: a", "", None),
        ("docs: a", "", None),
        ("Merge pull request #1 from x/feat", "", None),
        ("feature: a", "", None),
        ("feat:a", "", None),
        ("", "", None),
    ],
)
def test_the_title_and_footers_of_a_commit_decide_its_level(
    subject: str, body: str, level: str | None
) -> None:
    assert read(subject, body).level == level


@pytest.mark.parametrize(
    ("subject", "body", "level", "warning"),
    [
        ("feat: a", "\nBREAKING CHANGE: b", "major", ""),
        ("feat: a", "BREAKING CHANGE: b", "major", "no empty line before"),
        ("feat: a", "\ntext\nBREAKING CHANGE: b", "major", "no empty line before"),
        ("chore: a", "\ntheir notes\nBREAKING CHANGE: b", None, "inside a paragraph, which does not count"),
        ("feat: a", "\n**BREAKING CHANGE:** b", "minor", "does not define, so it does not count"),
        ("feat: a", "\n- BREAKING CHANGE: b", "minor", "does not define, so it does not count"),
        ("fix: a", "\n### Breaking Changes\n\n- b", "patch", "does not define, so it does not count"),
        ("chore(deps): a", "\n### Breaking Changes\n\n- b", None, ""),
        ("feat: a", "\n```\nbreaking change: b\n```", "minor", ""),
        ("feat: a (#9)", "\n* feat!: b\n* fix: c", "minor", "lists the breaking change 'feat!: b'"),
        ("feature: a", "", None, "the usual type is feat"),
        ("Hotfix(api): a", "", None, "the usual type is fix"),
        ("docs: a", "", None, ""),
    ],
)
def test_a_doubtful_spelling_is_reported(subject: str, body: str, level: str | None, warning: str) -> None:
    found = read(subject, body)
    assert found.level == level
    assert warning in found.warning if warning else not found.warning


def test_a_revert_has_the_scope_of_what_it_reverts() -> None:
    assert scopes("revert: feat(api): a") == scopes('Revert "feat(api): a"') == ("api",)
    assert scopes("revert(web): feat(api): a") == ("web",)
