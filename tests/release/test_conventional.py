import pytest

from stagegate.release.conventional import read


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
def test_level(subject: str, body: str, level: str | None) -> None:
    assert read(subject, body).level == level
