"""Redaction takes time in proportion to the length of its input, and ends in a result for any input."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import pytest

from stagegate.chart.objects import RenderedObject
from stagegate.difference import redaction
from stagegate.difference.known_values import KnownValues

SMALL = 4_500  # characters; eight times as many are the 36 KB of the first report
TIMES = 8


def nested(line: str, step: str) -> Callable[[int], str]:
    """Nested text: each line contains the following ones as a quoted string."""
    return lambda size: "\n".join(step * i + line for i in range(math.isqrt(2 * size // len(step))))


def repeated(unit: str, before: str = "", after: str = "") -> Callable[[int], str]:
    return lambda size: before + unit * (size // len(unit)) + after


SHAPES: dict[str, Callable[[int], str]] = {
    **{unit[:12]: repeated(unit) for unit in (
        "eyJ-", "secret", "password-", "token ", "password x1 ", "x password ab ", "a1B/", "://", "://pw:", "a:", "-p ", "<a", "x=",
        'name="key"', "a: b\n", "Bearer ", "$", "a@b", " ", "\\", "{", "[", "- ", "? ", "\n? ", "---\n", "pw:key", "ghp_", "mariadb-",
        "a\t", "\r\n", "%TAG !a! b\n", "-u a", "'", '"', "&a ", "*a ", "sha256:", "-----BEGIN CERTIFICATE-----\nA", "x: &a [*a]\n",
    )},
    "query": repeated("key", "http://a/?"),
    "keys of a flow": repeated("a,", "{", "}"),
    "merges": repeated("<<: *a,", "a: &a {b: c}\nd: {", "}\n"),
    "sexagesimal": repeated(":0", "- 1", "\n- b"),
    "digits": repeated("1", "- ", "\n- b"),
    "hexadecimal": repeated("f", "- 0x", "\n- b"),
    "aliases": repeated("- *a\n", "- &a [1, 2, 3, 4, 5, 6, 7, 8]\n"),
    "texts in texts": nested("a: |", " "),
    "lists in texts": nested("- |", "  "),
    "mappings in mappings": nested("a:", " "),
}  # fmt: skip


def one(body: dict[str, object], kind: str = "ConfigMap") -> RenderedObject:
    return RenderedObject(
        api_version="v1", kind=kind, namespace="", name="a", template="a.yaml", body={"kind": kind, **body}
    )


def seconds(objects: list[RenderedObject], known: KnownValues) -> float:
    """The computing time of one run."""
    began = time.process_time()
    redaction.redacted(objects, b"key", known)
    return time.process_time() - began


def check(
    make: Callable[[int], list[RenderedObject]], known: Callable[[int], list[str]] = lambda _: []
) -> None:
    """A run that a busy machine held up is repeated; one that takes too long does so every time."""
    small, large = SMALL, SMALL * TIMES
    measured: list[tuple[float, float]] = []
    for _ in range(3):
        base = seconds(make(small), KnownValues(known(small)))
        longer = seconds(make(large), KnownValues(known(large)))
        if longer < 2 * TIMES * base + 0.05:
            return
        measured.append((base, longer))
    pytest.fail(f"{TIMES} times the length takes longer than {2 * TIMES} times as long: {measured}")


@pytest.mark.parametrize("shape", SHAPES)
def test_redaction_of_a_text_takes_linear_time(shape: str) -> None:
    def objects(size: int) -> list[RenderedObject]:
        text = SHAPES[shape](size)
        in_fields = {"args": ["-p", text, "--password"], "description": text, "password": text}
        return [one({"data": {"x": text, text: "x"}}), one({"spec": in_fields}, "Thing")]

    check(objects)


@pytest.mark.parametrize(
    "words", [["--password", ""], ["-b", "htpasswd"], ["-p", "x", "-u"], ["add_user", "a"], ["password"]]
)
def test_redaction_of_a_list_takes_linear_time(words: list[str]) -> None:
    check(lambda size: [one({"spec": {"args": words * (size // 12)}}, "Job")])


def test_redaction_of_many_known_values_takes_linear_time() -> None:
    check(
        lambda size: [one({"data": {f"key{i}": f"some-value-{i}.example.com" for i in range(size // 30)}})],
        lambda size: [f"some-value-{i}-x" for i in range(size // 15)],
    )
    check(
        lambda size: [one({"data": {"x": "ab" * (size // 2)}})],
        lambda size: ["ab" * i + "x" for i in range(5, math.isqrt(size))],
    )
