"""What an answer must be, and how it differs, in words that show only what a person needs. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jmespath
import msgspec

from stagegate.gate.scenarios import Expect, wait_seconds

_SECRET = re.compile(r"(?i)token|secret|password|passwd|credential|key|session|jwt")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it came, and the seconds from the first byte sent to the last one read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


def differences(answer: Answer, expect: Expect, *, secret: bool) -> Iterator[str]:
    """What the answer is not, in words that show only what a person needs; of a `secret` one no value."""
    wanted = (expect.status,) if isinstance(expect.status, int) else expect.status
    if answer.status not in wanted:
        yield f"status {answer.status}, expected {' or '.join(map(str, wanted))}"
    if expect.within and answer.seconds > wait_seconds(expect.within):
        yield f"it took {answer.seconds:.2f} s, allowed are {expect.within}"
    for name, value in expect.headers.items():
        found = answer.headers.get(name)
        if found != value:
            yield f"header {name} is {_show(found)}, expected {_show(value)}"
    if expect.contains and expect.contains not in answer.body.decode("utf-8", "replace"):
        yield f"the answer does not contain {_show(expect.contains)}"
    if expect.json:
        yield from _json_differences(answer, expect.json, secret=secret)


def _json_differences(answer: Answer, wanted: Mapping[str, Any], *, secret: bool) -> Iterator[str]:
    try:
        document = json.loads(answer.body)
    except ValueError:
        yield "the answer is not JSON"
        return
    for expression, value in wanted.items():
        try:
            found = jmespath.search(expression, document)
        except jmespath.exceptions.JMESPathError as error:
            yield f"{expression} cannot be asked of the answer: {str(error).splitlines()[0]}"
            continue
        if found != value or isinstance(found, bool) != isinstance(value, bool):
            hidden = secret or _SECRET.search(expression)
            yield f"{expression} is {'other' if hidden else _show(found)}, expected {_show(value)}"


def _show(value: object) -> str:
    """A value as JSON, cut short: an answer can be long, and may hold more than anybody should read."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
