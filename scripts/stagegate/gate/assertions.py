"""Checks a scenario's assertions on a response, and describes differences without secrets. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from stagegate.gate import expressions
from stagegate.gate.scenarios import Expect, wait_seconds


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A response, and the seconds from the first byte sent to the last one read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


def differences(response: Answer, expect: Expect, *, secret: bool) -> Iterator[str]:
    """The violated expectations of a response, in words; without values of a `secret` response."""
    accepted = (expect.status,) if isinstance(expect.status, int) else expect.status
    if response.status not in accepted:
        yield f"status {response.status}, expected {' or '.join(map(str, accepted))}"
    if expect.within and response.seconds > wait_seconds(expect.within):
        yield f"the response took {response.seconds:.2f} s, longer than the allowed {expect.within}"
    for name, value in expect.headers.items():
        header = response.headers.get(name)
        if header != value:
            actual = expressions.other(name, header, secret=secret)
            yield f"header {name} is {actual}, expected {expressions.shown(value)}"
    if expect.contains and expect.contains not in response.body.decode("utf-8", "replace"):
        yield f"the response does not contain {expressions.shown(expect.contains)}"
    if expect.json:
        yield from _json_differences(response, expect.json, secret=secret)


def _json_differences(response: Answer, expected: Mapping[str, Any], *, secret: bool) -> Iterator[str]:
    try:
        yield from expressions.compare(response.body, expected, secret=secret)
    except ValueError:
        yield "the response is not JSON"
    except expressions.Unbounded as error:
        yield str(error)
