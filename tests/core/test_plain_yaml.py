"""The fast readers of settings give what the full one gives, or leave the document to it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from lab.generated_history import Draw
from stagegate import plain_yaml, simple_yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(ROOT.glob("examples/**/*.yaml"))
SCALARS = (
    *("", "~", "null", "Null", "true", "True", "TRUE", "yes", "No", "on", "y", "N", "false"),
    *(
        "0",
        "-0",
        "007",
        "0o7",
        "0x1f",
        "1_000",
        "+1",
        "-1",
        "1e3",
        "1.0",
        "-.5",
        ".5",
        "1.",
        "1.5e3",
        ".inf",
        "-.inf",
    ),
    *(
        "2026-12-20",
        "2026-02-30",
        "2026-12-20T10:00:00Z",
        "12:30:45",
        "30m",
        "8h",
        "1.36.1",
        "1.2.3-rc.1",
        "1.2",
        "127.0.0.1:5000/acme/shop",
        "10.0.0.0/8",
        "1/2",
        "1:30/2",
    ),
    *(
        "v1.2.3",
        "a: b",
        "a #b",
        "=",
        "<<",
        "*a",
        "&a b",
        "!x y",
        "'quoted 1'",
        '"1"',
        "a b",
        "- x",
        "@x",
        "{a: 1}",
    ),
    *("[1, two]", "|\n  text", ">-\n  folded", "ä", "1a", "-x", "a-", "0.10", "1__0"),
)


def full(content: bytes) -> object:
    return YAML(typ="safe", pure=True).load(io.BytesIO(content))


def agree(content: bytes) -> bool:
    """Whether the fast reader reads the text; both readers must then give the same values and types."""
    try:
        fast = plain_yaml.load(content)
    except simple_yaml.Unusual:
        return False
    slow = full(content)
    assert repr(fast) == repr(slow)
    return True


def simple(content: bytes) -> bool:
    """Whether the simple reader reads the text; the full one must then give the same values and types."""
    try:
        read = simple_yaml.load(content)
    except simple_yaml.Unusual:
        return False
    assert repr(read) == repr(full(content)), content
    return True


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_is_the_same_or_left_alone(text: str) -> None:
    for layout in ("key: {}\n", "{}\n", "- {}\n", "a:\n  - b: {}\n    c: d\n", "[{}]\n", "{{a: {}, b: c}}\n"):
        agree(layout.format(text).encode())
        simple(layout.format(text).encode())


@pytest.mark.parametrize(
    "text",
    ["a: 1\na: 2\n", "a: &x 1\nb: *x\n", "<<: {a: 1}\n", "!!str 1\n", "a: [\n", "a: 1\n---\nb: 2\n", "\xff"],
)
def test_yaml_that_needs_the_full_reader_is_left_to_it(text: str) -> None:
    with pytest.raises(simple_yaml.Unusual):
        plain_yaml.load(text.encode("latin-1"))
    with pytest.raises(simple_yaml.Unusual):
        simple_yaml.load(text.encode("latin-1"))


@given(st.text(alphabet="0123456789+-._:eExobinfaNyts~ ", min_size=1, max_size=8))
def test_no_short_text_is_read_as_another_value(text: str) -> None:
    try:
        full(f"key: {text}\n".encode())
    except Exception:  # noqa: BLE001 what the full reader refuses is not compared
        return
    agree(f"key: {text}\n".encode())
    simple(f"key: {text}\n".encode())


WHOLE = b"""# what an app declares
app: shop  # its name
version:
  files:
  - VERSION
  - {file: charts/shop/Chart.yaml, path: version}
  tag-prefix: "v"
chart: {path: charts/shop, repository: oci://ghcr.io/acme/charts}
environments:
  - name: staging
    gate: {timeout: 30m, attempts: 3}

  - name: prod
    after: [staging]
    promotion:
      merge: true
      reason: to be seen by people
"""


def test_the_usual_settings_need_no_library() -> None:
    assert simple(WHOLE)


@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_document_is_read_as_the_full_reader_does_or_left_alone(seed: int) -> None:
    draw = Draw(seed)
    for _ in range(100):
        text = WHOLE.decode()
        for _ in range(draw.choice((1, 2, 3))):
            at = draw.choice(range(len(text)))
            put = "".join(draw.choice(" -:,#[]{}'\"ab1.yn|>&*!\\\t\n") for _ in range(draw.choice(range(4))))
            text = text[:at] + put + text[at + draw.choice(range(5)) :]
        simple(text.encode())


def test_the_settings_of_all_examples_are_read_fast() -> None:
    settings = [file for file in FILES if file.name == "stagegate.yaml"]
    assert settings
    assert all(agree(file.read_bytes()) for file in settings)
    assert any(simple(file.read_bytes()) for file in settings)
    for file in FILES:
        if b"{{" not in file.read_bytes() and b"\n---" not in file.read_bytes():
            agree(file.read_bytes())
