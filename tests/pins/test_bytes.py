"""I6 as a property: whatever text is around a pin, only the pinned scalars' bytes change."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from stagegate import pins, yaml_edit
from stagegate import settings as settings_file
from stagegate.errors import Stop
from stagegate.model import Release
from stagegate.settings import Settings

SETTINGS = b"""
app: shop
images: [ghcr.io/acme/shop]
chart: {path: charts/shop, repository: "oci://ghcr.io/acme/charts", image-tag-value: image.tag}
environments: [{name: prod, pins: [p.yaml]}]
"""
OURS: Settings = settings_file.parse(SETTINGS, "stagegate.yaml")
NUMBER = st.integers(0, 40).map(str)
VERSION = st.builds(
    lambda parts, pre: ".".join(parts) + pre,
    st.lists(NUMBER, min_size=3, max_size=3),
    st.sampled_from(["", "-rc.1"]),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=12)
QUOTED = st.sampled_from(["{}", "'{}'", '"{}"'])
COMMENT = st.one_of(st.just(""), TEXT.map(lambda text: f"   # {text}"))
# lines that may stand between any two others, at an indent that the frame gives
FILLER = st.lists(
    st.one_of(
        st.just(""),
        TEXT.map(lambda text: f"# {text} targetRevision: 1.0.0"),
        st.tuples(st.integers(0, 10**6), TEXT).map(
            lambda pair: f"k{pair[0]}: {json.dumps(pair[1], ensure_ascii=False)}"
        ),
        st.integers(0, 10**6).map(lambda n: f"t{n}: {{value: v1.0.0, list: [1.0.0, 1.10, 'yes']}}"),
    ),
    max_size=3,
    unique_by=lambda line: line.partition(":")[0],
)


def application(
    chart: str, tag: str, revision: str, image: str, shape: str, indent: int, parts: list[list[str]]
) -> str:
    """An Application whose two pins are written as `chart` and `image`, with filler lines in it."""
    pad = " " * indent
    values = [f"{pad}tag: {image}", *(pad + line if line else "" for line in parts[1])]
    helm = {
        "parameters": ["parameters:", f"  - {{name: image.tag, value: {image}}}"],
        "text": ["values: |" + tag, *(" " * 9 + line if line else "" for line in ["image:", *values])],
        "object": ["valuesObject:", *(" " * 2 + line if line else "" for line in ["image:", *values])],
    }[shape]
    source = ["repoURL: ghcr.io/acme/charts", "chart: shop", f"targetRevision: {chart}{revision}", "helm:"]
    lines = [
        "apiVersion: argoproj.io/v1alpha1",
        "kind: Application",
        *parts[0],
        "spec:",
        "  source:",
        *("    " + line for line in source),
        *("      " + line if line else "" for line in helm),
        *("  " + line if line else "" for line in parts[2]),
        "",
    ]
    return "\n".join(lines)


@effort(max_examples=150, deadline=None)
@given(
    before=VERSION,
    after=VERSION,
    quotes=st.tuples(QUOTED, QUOTED),
    comment=COMMENT,
    shape=st.sampled_from(["parameters", "text", "object"]),
    chomp=st.sampled_from(["", "-", "+"]),
    indent=st.integers(1, 5),
    parts=st.tuples(FILLER, FILLER, FILLER),
    newline=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
    around=st.sampled_from(["{}", "---\n{}", "a: 1\n---\n{}---\nb: v1.0.0\n", "# {{}}\n\n{}\n"]),
)
def test_only_the_pinned_scalars_change(
    before: str,
    after: str,
    quotes: tuple[str, str],
    comment: str,
    shape: str,
    chomp: str,
    indent: int,
    parts: tuple[list[str], list[str], list[str]],
    newline: str,
    mark: bool,
    around: str,
) -> None:
    def file(version: str) -> bytes:
        text = application(
            quotes[0].format(version),
            chomp,
            comment,
            quotes[1].format(f"v{version}"),
            shape,
            indent,
            list(parts),
        )
        return (b"\xef\xbb\xbf" if mark else b"") + around.format(text).replace("\n", newline).encode()

    content = file(before)
    found = pins.read("p.yaml", content, OURS)
    assert pins.version_of(found, OURS) == before
    release = Release(app="shop", version=after, tag=f"v{after}", commit="a" * 40)
    edited, edits = pins.edit(found, release, OURS)
    assert edited == file(after)
    assert len(edits) == (0 if before == after else 2)


@effort(max_examples=100, deadline=None)
@given(
    document=st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT
        ),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
        max_leaves=8,
    ),
    indent=st.sampled_from([None, 1, 4]),
    ascii_only=st.booleans(),
)
def test_only_the_pinned_scalar_of_json_changes(
    document: object, indent: int | None, ascii_only: bool
) -> None:
    def file(version: str) -> bytes:
        whole = {"before": document, "pin": {"x": [0, {"y": f"v{version}"}]}, "after": document}
        return json.dumps(whole, indent=indent, ensure_ascii=ascii_only).encode()

    assert yaml_edit.replace(file("1.2.3"), {(0, "pin.x.1.y"): "v1.10.0"}, "p.json") == file("1.10.0")


@pytest.mark.parametrize(
    "value", ["null", "true", "1.10", "1e3", "0x10", "on", "a: b", "# x", "- a", "{a", "2026-01-01"]
)
def test_a_value_that_is_not_read_back_as_text_is_quoted_or_refused(value: str) -> None:
    try:
        edited = yaml_edit.replace(b"a: text # c\nb: 1\n", {(0, "a"): value}, "p.yaml")
    except Stop as stop:
        assert stop.reason == "ambiguous-pin"
        return
    scalar = yaml_edit.find(yaml_edit.documents(edited, "p.yaml")[0], "a")
    assert scalar is not None
    assert (scalar.value, scalar.tag.rpartition(":")[2]) == (value, "str")
    assert edited.endswith(b" # c\nb: 1\n")
