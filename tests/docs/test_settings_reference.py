"""docs/settings.md describes every key of stagegate.yaml as the code declares it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import docs
import docs_settings
from stagegate import settings
from stagegate.settings import Section

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = (ROOT / "docs/settings.md").read_text()
SECTIONS = settings.schema()["$defs"]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_has_a_description(name: str) -> None:
    told = docs_settings.texts(getattr(settings, name))
    assert [key for key in SECTIONS[name]["properties"] if len(told.get(key, "")) < 10] == []


def test_a_key_without_a_description_is_not_listed() -> None:
    told = docs_settings.texts(_Half)
    assert told == {"what-it-does": "Over two lines."}


class _Half(Section, frozen=True, kw_only=True):
    """Text of the section, not of its first key."""

    first: str = ""
    what_it_does: str = ""
    """Over
    two lines."""


def test_every_section_has_a_table_and_a_heading() -> None:
    titles = docs_settings.sections(docs_settings.settings_schema())
    assert titles.keys() == SECTIONS.keys()
    for title in titles.values():
        (table,) = re.findall(
            rf"<!-- {re.escape(title)} -->\n(.*?)<!-- /{re.escape(title)} -->", REFERENCE, re.S
        )
        assert table.startswith("| key |")
        assert re.search(rf"(?m)^#+ {re.escape(title)}$", REFERENCE) or title == "settings"


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    return dict(docs.generated())


@pytest.mark.parametrize("file", ["docs/settings.md", "stagegate.schema.json"])
def test_generated_pages_are_current(file: str, pages: dict[Path, str]) -> None:
    assert pages[ROOT / file] == (ROOT / file).read_text()


def test_the_example_uses_every_section() -> None:
    """So that a reader sees each of them once in its place."""
    (example,) = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.S)
    settings.parse(example.encode(), "docs/settings.md")
    assert _used(YAML(typ="safe", pure=True).load(example), "Settings") == SECTIONS.keys()


def _used(value: object, name: str) -> set[str]:
    """The sections that a document of one has."""
    found = {name}
    assert isinstance(value, dict)
    for key, inner in value.items():
        field = str(SECTIONS[name]["properties"][key])
        for section in re.findall(r"#/\$defs/(\w+)", field):
            items = inner if isinstance(inner, list) else [inner]
            found |= {one for item in items if isinstance(item, dict) for one in _used(item, section)}
    return found
