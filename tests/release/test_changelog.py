import pytest

from stagegate.release import changelog
from stagegate.release.conventional import read

OLD = "# Changelog\r\n\r\n## [Unreleased]\r\n\r\nBy hand.\r\n\r\n## [1.0.0-rc.1] - 2026-01-01\r\n\r\n- first\r\n"


def test_a_section_is_added_above_and_the_rest_keeps_its_bytes() -> None:
    notes = changelog.notes(
        [read("feat: b", ""), read("fix: c", ""), read("chore: d", "")], changelog.unreleased(OLD)
    )
    new = changelog.add(OLD, "1.0.0", "2026-02-03", notes)
    assert new.endswith(OLD[OLD.index("## [1.0.0-rc.1]") :])
    assert new.startswith(
        "# Changelog\r\n\r\n## [Unreleased]\r\n\r\n## [1.0.0] - 2026-02-03\r\n\r\nBy hand.\r\n"
    )
    assert "### Added\r\n\r\n- b\r\n\r\n### Fixed\r\n\r\n- c" in new
    assert "\n" not in new.replace("\r\n", "")
    assert changelog.section(new, "1.0.0") == notes


def test_an_existing_section_is_not_written_again() -> None:
    once = changelog.add(OLD, "1.0.0", "2026-02-03", "- x")
    assert changelog.add(once, "1.0.0", "2026-02-04", "- y") == once


def test_a_prerelease_heading_is_not_the_release() -> None:
    assert not changelog.has(OLD, "1.0.0")


def test_an_empty_changelog_gets_a_title() -> None:
    assert (
        changelog.add("", "0.1.0", "2026-02-03", "- x") == "# Changelog\n\n## [0.1.0] - 2026-02-03\n\n- x\n"
    )


def test_underlined_headings_count_and_headings_in_comments_do_not() -> None:
    underlined = "Changelog\n=========\n\n1.1.0 (2024-01-01)\n------------------\n\n- a\n"
    new = changelog.add(underlined, "1.2.0", "2026-02-03", "- x")
    assert new.index("## [1.2.0]") < new.index("1.1.0 (2024")
    assert changelog.section(new, "1.1.0") == "- a"
    template = "# Changelog\n<!--\n## [Unreleased]\n- an example\n-->\n\n## [1.1.0]\n- a\n"
    new = changelog.add(template, "1.2.0", "2026-02-03", "- x")
    assert new == template.replace("## [1.1.0]", "## [1.2.0] - 2026-02-03\n\n- x\n\n## [1.1.0]")
    assert changelog.unreleased(template) == ""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_links_of_keep_a_changelog_move_with_the_version(end: str) -> None:
    before = """# Changelog

## [Unreleased]

## [shop-1.0.0] - 2025-01-01

[Unreleased]: https://example.com/acme/shop/compare/shop-v1.0.0...HEAD
[1.0.0]: https://example.com/acme/shop/releases/tag/shop-v1.0.0
""".replace("\n", end)
    after = changelog.add(before, "1.1.0-rc.1", "2026-01-05", "- tea")
    assert after.split(end)[-4:] == [
        "[Unreleased]: https://example.com/acme/shop/compare/shop-v1.1.0-rc.1...HEAD",
        "[1.1.0-rc.1]: https://example.com/acme/shop/compare/shop-v1.0.0...shop-v1.1.0-rc.1",
        "[1.0.0]: https://example.com/acme/shop/releases/tag/shop-v1.0.0",
        "",
    ]
    again = changelog.add(after, "1.1.0", "2026-01-06", "- milk")
    assert "[1.1.0]: https://example.com/acme/shop/compare/shop-v1.1.0-rc.1...shop-v1.1.0" + end in again
    assert changelog.add(again, "1.1.0", "2026-01-06", "- milk") == again


def test_links_inside_a_code_fence_stay() -> None:
    fenced = "# Changelog\n\n```\n[Unreleased]: https://example.com/compare/v1.0.0...HEAD\n```\n\n## 1.0.0\n"
    assert "compare/v1.0.0...HEAD" in changelog.add(fenced, "1.1.0", "2026-01-05", "- tea")
