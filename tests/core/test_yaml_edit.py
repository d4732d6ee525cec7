"""An edit changes the bytes of one scalar and no other byte (I6)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stagegate import yaml_edit
from stagegate.errors import Stop


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        (b"a: 1.0.0 # why\r\nb: 'x'\r\n", "a", "1.1.0", b"a: 1.1.0 # why\r\nb: 'x'\r\n"),
        (b"\xef\xbb\xbfa: '1.0'\n", "a", "1.10", b"\xef\xbb\xbfa: '1.10'\n"),
        (b"a: v1\n", "a", "1.10", b'a: "1.10"\n'),
        (b"a: v1\n", "a", "off", b'a: "off"\n'),
        (
            b"a: {b: [x, {name: t, value: v1}]}\n",
            "a.b[name=t].value",
            "v2",
            b"a: {b: [x, {name: t, value: v2}]}\n",
        ),
        (b'a: {"x.y/z": "1"}\n', 'a."x.y/z"', "2", b'a: {"x.y/z": "2"}\n'),
        (b"a: &v 1.0.0\n", "a", "1.1.0", b"a: &v 1.1.0\n"),
        (b"a: !!str 1.0.0\n", "a", "1.1.0", b"a: !!str 1.1.0\n"),
        (b'{"a":{"b":["1.0.0"]}}', "a.b.0", "1.1.0", b'{"a":{"b":["1.1.0"]}}'),
        ("ü: 1.0.0 # 🚀\nb: 1.0.0\n".encode(), "b", "1.1.0", "ü: 1.0.0 # 🚀\nb: 1.1.0\n".encode()),
    ],
)
def test_an_edit_changes_one_scalar(before: bytes, path: str, value: str, after: bytes) -> None:
    assert yaml_edit.replace(before, {(0, path): value}, "f.yaml") == after


def test_an_edit_changes_the_second_document_of_a_file() -> None:
    assert yaml_edit.replace(b"a: x\n---\na: x\n", {(1, "a"): "z"}, "f") == b"a: x\n---\na: z\n"


@pytest.mark.parametrize(
    ("content", "path", "reason"),
    [
        (b"a: 1\n", "b", "ambiguous-pin"),
        (b"a: [1]\n", "a", "ambiguous-pin"),
        (b"a: &v x\nb: *v\n", "b", "ambiguous-pin"),
        (b"a: |\n  x\n", "a", "ambiguous-pin"),
        (b"l: [{n: t, v: 1}, {n: t, v: 2}]\n", "l[n=t].v", "ambiguous-pin"),
        (b"a: [\n", "a", "bad-input"),
        (b"a: 1\n", 'a."', "bad-settings"),
    ],
)
def test_a_value_that_is_not_one_scalar_is_refused(content: bytes, path: str, reason: str) -> None:
    with pytest.raises(Stop) as stop:
        yaml_edit.replace(content, {(0, path): "y"}, "f.yaml")
    assert stop.value.reason == reason


@pytest.mark.parametrize("value", ["a\nb", "a\x85b", "a\x00", "a\tb"])
def test_a_value_that_is_not_one_printable_line_is_refused(value: str) -> None:
    with pytest.raises(Stop):
        yaml_edit.replace(b"a: 'x'\n", {(0, "a"): value}, "f.yaml")


keys = st.text("abc", min_size=1, max_size=3)
words = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF).filter(str.isprintable), max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no mistake
@given(st.dictionaries(keys, words, min_size=1, max_size=5), st.data())
def test_every_written_text_is_read_back_and_no_other_byte_changes(
    mapping: dict[str, str], data: st.DataObject
) -> None:
    lines = {key: f"{key}: '{value.replace(chr(39), chr(39) * 2)}' # {key}" for key, value in mapping.items()}
    content = "\n".join(lines.values()).encode()
    key, value = data.draw(st.sampled_from(sorted(mapping))), data.draw(words)
    after = yaml_edit.replace(content, {(0, key): value}, "f.yaml").decode()
    assert YAML(typ="safe", pure=True).load(after) == {**mapping, key: value}
    assert [line for line in after.split("\n") if not line.startswith(f"{key}:")] == [
        line for k, line in lines.items() if k != key
    ]
