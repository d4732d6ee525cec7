"""The documents are true: the code accepts their examples, names and links exist, and no private name is in them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from ruamel.yaml import YAML

from lab import github_yaml
from stagegate import settings
from stagegate.actions import front_door
from stagegate.errors import VERDICTS
from stagegate.gate import scenarios
from stagegate.runner import yaml_inputs

ROOT = Path(__file__).resolve().parents[2]
_LISTED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
FILES = sorted(name for name in _LISTED.stdout.split("\0") if name and (ROOT / name).is_file())
# Texts that a test compares with what stagegate writes are no documents.
DOCUMENTS = [name for name in FILES if name.endswith(".md") and not name.startswith("tests/")]
FIELDS = settings.schema()["$defs"]["Settings"]["properties"].keys()
ACTIONS = {path.parent.name: path.parent for path in ROOT.glob("actions/*/action.yml")}


class Block(NamedTuple):
    """A fenced block of a document: its language, the line after the fence, and its text without indentation."""

    file: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def data(self) -> Any:
        return github_yaml.load(self.text)


def blocks(file: str) -> Iterator[Block]:
    """Every fenced block, also inside a list."""
    fence, indent, begun, lines = "", "", 0, list[str]()
    for number, line in enumerate((ROOT / file).read_text().splitlines(), 1):
        found = re.match(r"(\s*)(`{3,})\s*(\S*)", line)
        if found and not begun:
            (indent, fence, language), begun, lines = found.groups(), number + 1, []
        elif found and begun and found[2] == fence:
            yield Block(file, begun, language, "\n".join(lines) + "\n")
            begun = 0
        elif begun:
            lines.append(line.removeprefix(indent))
    assert not begun, f"{file}:{begun} is never closed"


BLOCKS = [block for file in DOCUMENTS for block in blocks(file)]
YAMLS = [block for block in BLOCKS if block.language in ("yaml", "yml")]


def prose(file: str) -> str:
    """A document without its blocks."""
    return re.sub(r"(?ms)^([ \t]*)(```+).*?^\1\2\s*$", "", (ROOT / file).read_text())


def steps(data: Any) -> Iterator[dict[str, Any]]:
    """Every mapping with `uses`, at any depth."""
    if isinstance(data, dict):
        if "uses" in data:
            yield data
        for value in data.values():
            yield from steps(value)
    elif isinstance(data, list):
        for value in data:
            yield from steps(value)


def test_the_documents_have_blocks_to_check() -> None:
    assert len(YAMLS) >= len(ACTIONS) > 0


@pytest.mark.parametrize("block", YAMLS, ids=lambda block: block.place)
def test_every_yaml_block_is_yaml(block: Block) -> None:
    assert YAML(typ="safe", pure=True).load(block.text) is not None


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language == "json"], ids=lambda block: block.place
)
def test_every_json_block_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize(
    "block",
    [b for b in YAMLS if isinstance(b.data, dict) and "app" in b.data],
    ids=lambda block: block.place,
)
def test_settings_are_accepted_as_they_stand(block: Block) -> None:
    settings.parse(block.text.encode(), block.place)


@pytest.mark.parametrize(
    "block",
    [b for b in YAMLS if isinstance(b.data, dict) and b.data.keys() <= FIELDS - {"app"}],
    ids=lambda block: block.place,
)
def test_parts_of_settings_are_accepted_in_a_whole(block: Block) -> None:
    """A part may name environments that it leaves out."""
    given: list[dict[str, Any]] = block.data.get("environments") or [{"name": "staging"}, {"name": "prod"}]
    if isinstance(given, dict):
        return  # shared policy, which names environments as keys; its own tests read it
    before = {name for one in given for name in one.get("after", ())} - {one["name"] for one in given}
    places = [*({"name": name} for name in sorted(before)), *given]
    whole = {"app": "shop", **block.data, "environments": places}
    settings.parse(json.dumps(whole, default=str).encode(), block.place)


@pytest.mark.parametrize(
    "block",
    [b for b in YAMLS if isinstance(b.data, dict) and "checks" in b.data],
    ids=lambda block: block.place,
)
def test_scenarios_are_accepted_as_they_stand(block: Block) -> None:
    scenarios.parse(block.text.encode(), block.place)


@pytest.mark.parametrize("block", YAMLS, ids=lambda block: block.place)
def test_examples_call_existing_actions_and_workflows_with_existing_inputs(block: Block) -> None:
    for step in steps(block.data):
        words = re.fullmatch(r"[\w.-]+/stagegate(?:/(.+?))?@.+", step["uses"])
        if not words:
            continue
        given = step.get("with") or {}
        if words[1] and words[1].startswith(".github/workflows/"):
            called = github_yaml.load((ROOT / words[1]).read_bytes())
            inputs = called["on"]["workflow_call"].get("inputs", {})
        else:
            folder = ACTIONS.get(Path(words[1]).name) if words[1] else ROOT
            assert folder, f"{block.place}: there is no {words[1]}"
            inputs = github_yaml.load((folder / "action.yml").read_bytes())["inputs"]
        assert given.keys() <= inputs.keys(), f"{block.place}: {step['uses']}"
        required = {name for name, field in inputs.items() if field.get("required")}
        assert required <= given.keys(), f"{block.place}: {step['uses']}"
        if "command" in given and "with" in given:
            yaml_inputs.fields(given["with"], front_door.find(given["command"])[0], given["command"])


@pytest.mark.parametrize("file", DOCUMENTS)
def test_actions_named_in_the_text_exist(file: str) -> None:
    named = re.findall(r"stagegate/actions/(?!workflows/)([a-z][\w-]*)", (ROOT / file).read_text())
    assert set(named) <= ACTIONS.keys()


@pytest.mark.parametrize("action", ACTIONS)
def test_the_first_example_of_an_action_calls_that_action(action: str) -> None:
    first = next(block for block in blocks(f"actions/{action}/README.md") if block.language == "yaml")
    assert f"OWNER/stagegate/actions/{action}@REF" in [step["uses"] for step in steps(first.data)]


@pytest.mark.parametrize("file", [*(f"actions/{name}/README.md" for name in ACTIONS), "docs/outcomes.md"])
def test_every_named_reason_exists(file: str) -> None:
    text = (ROOT / file).read_text()
    rows = re.findall(r"(?m)^\|(.+)\|$", text[text.find("| reason |") :]) if "| reason |" in text else []
    if file.startswith("docs/"):
        rows = [row.split("|")[2] for row in re.findall(r"(?m)^\|(.+)\|$", text)]
    cells = [row.split("|")[0].replace("reasons", "reason").strip() for row in rows]
    words = {word.strip("` ") for cell in cells for word in cell.split(",")} - {"reason", ""}
    words = {word for word in words if not set(word) <= {"-", ":"}}
    assert words, f"{file} names no reason"
    assert words <= VERDICTS.keys()


@pytest.mark.parametrize("file", DOCUMENTS)
def test_every_link_has_a_target(file: str) -> None:
    for target in re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", prose(file)):
        link = urlsplit(target)
        if link.scheme or target.startswith("//"):
            assert link.scheme in ("https", "mailto"), f"{file}: {target}"
            continue
        there = (ROOT / file).parent / unquote(link.path) if link.path else ROOT / file
        assert there.resolve().is_relative_to(ROOT), f"{file}: {target}"
        assert there.exists(), f"{file}: there is no {target}"
        if link.fragment and there.suffix == ".md":
            assert link.fragment in anchors(there), f"{file}: {target} has no such heading"


def test_the_index_lists_every_page() -> None:
    listed = set(re.findall(r"\]\(([\w-]+\.md)", (ROOT / "docs" / "README.md").read_text()))
    assert listed == {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}


def anchors(document: Path) -> set[str]:
    """The anchors GitHub gives to the headings of a document."""
    headings = re.findall(r"(?m)^#+\s+(.*?)\s*#*$", prose(str(document.relative_to(ROOT))))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# --- what no file may contain -----------------------------------------------------------------------------------

# Written in parts, so that this file does not contain them.
INDEXES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("proxy", "golang", "org"),
        ("sum", "golang", "org"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("repo1", "maven", "org"),
        ("conda", "anaconda", "org"),
    )
)
CONFIGURED = tuple(
    host
    for name, value in os.environ.items()
    if re.search(r"^(PIP_|UV_|GOPROXY$|npm_config_registry$)", name, re.IGNORECASE)
    for host in re.findall(r"https?://(?:[^@/\s]*@)?([^/:,|\s]+)", value)
    if host not in ("127.0.0.1", "localhost")
)
_HOMES = "|".join(("home/(?!runner/)[a-z][a-z0-9_-]*", "Users/[A-Za-z]+", "root", "work/(?:main|shared)"))
MACHINE = re.compile(rf"(?<![\w.~$}}/-])/(?:{_HOMES}|{'tmp'}/[a-z]*{'dev'})/")
_OURS = r"127\.0\.0\.1|localhost|[^/\s]*\.example\b"  # this machine, and the name reserved for examples
INDEX_ADDRESS = re.compile(rf"https?://(?!{_OURS}|\{{)[^\s/\"'<>]+(?:/[^\s\"'<>]*)?/simple\b")


def text(file: str) -> str:
    raw = (ROOT / file).read_bytes()
    return "" if b"\0" in raw else raw.decode("utf-8")


@pytest.mark.parametrize("suffix", sorted({Path(file).suffix for file in FILES}))
def test_no_file_names_an_index_or_a_machine(suffix: str) -> None:
    found = []
    for file in FILES:
        if Path(file).suffix != suffix:
            continue
        for number, line in enumerate(text(file).splitlines(), 1):
            hosts = [host for host in (*INDEXES, *CONFIGURED) if host in line]
            places = [match[0] for match in (*MACHINE.finditer(line), *INDEX_ADDRESS.finditer(line))]
            found += [f"{file}:{number}: {what}" for what in (*hosts, *places)]
    assert found == []


@pytest.mark.parametrize(
    ("line", "caught"),
    [
        ("see |home|octo|x", True),
        ("see |work|main|x", True),
        ('cwd = "|root|.cache"', True),
        ("|home|runner|work|", False),
        ("~|.cache|stagegate", False),
        ("$HOME|root|x", False),
        ("chroot|root|x", False),
        ("index-url = https:||mirror.acme.net|simple", True),
        ("https:||reader:pass@packages.example|simple", False),
        ("http:||127.0.0.1:8080|simple|", False),
    ],
)
def test_the_search_finds_a_forbidden_name(line: str, caught: bool) -> None:
    line = line.replace("|", "/")  # or this file would be found by itself
    assert bool(MACHINE.search(line) or INDEX_ADDRESS.search(line)) is caught
