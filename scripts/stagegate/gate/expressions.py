"""Evaluates JMESPath expressions on a response, within limits of time and memory.

Expressions come with the release, and a short one can need unlimited memory: each `[@, @]` doubles its input. What
only follows names is asked here; everything else in a child process that is ended in time.
"""

from __future__ import annotations

import json
import os
import re
import resource
import select
import signal
from collections.abc import Callable, Mapping
from typing import Any

import jmespath

SECONDS = 2.0  # of one response's expressions
MEMORY = 1 << 30  # bytes of additional memory for a child
ROOM = 1 << 20  # bytes of a child's result
_PLAIN = {"field", "subexpression", "index", "index_expression", "identity", "literal", "current"}
_SECRET = re.compile(r"(?i)token|secret|password|passwd|credential|key|session|jwt|cookie|authori[sz]ation")


class Unbounded(Exception):
    """An expression took too much time or memory."""


def compare(body: bytes, expected: Mapping[str, Any], *, secret: bool) -> list[str]:
    """The differences between expected and actual values. ValueError: not JSON. Unbounded: limits exceeded."""
    document = _document(body)
    return list(_bounded(expected, lambda: [text for text in _compared(document, expected, secret) if text]))


def search(body: bytes, expected: Mapping[str, str]) -> dict[str, Any]:
    """The value of each named expression; None for one that cannot be evaluated. ValueError, Unbounded as above."""
    document = _document(body)
    return dict(
        _bounded(
            expected.values(),
            lambda: {name: _value(expression, document)[0] for name, expression in expected.items()},
        )
    )


def shown(value: object) -> str:
    """A value as JSON, shortened, because a response can be long and private."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _compared(document: Any, expected: Mapping[str, Any], secret: bool) -> list[str]:
    return [_difference(expression, document, value, secret) for expression, value in expected.items()]


def other(name: str, actual: Any, *, secret: bool) -> str:
    """A value for messages; only `other` for a `secret` response or a name such as `session`."""
    return "other" if secret or _SECRET.search(name) else shown(actual)


def _difference(expression: str, document: Any, expected: Any, secret: bool) -> str:
    actual, trouble = _value(expression, document)
    if trouble:
        return f"{expression} cannot be evaluated on the response: {trouble}"
    if actual == expected and isinstance(actual, bool) == isinstance(expected, bool):
        return ""
    return f"{expression} is {other(expression, actual, secret=secret)}, expected {shown(expected)}"


def _value(expression: str, document: Any) -> tuple[Any, str]:
    try:
        return jmespath.search(expression, document), ""
    except (jmespath.exceptions.JMESPathError, RecursionError, ValueError, TypeError) as error:
        return None, (str(error).splitlines() or [type(error).__name__])[0]


def _is_plain(node: Mapping[str, Any]) -> bool:
    children = [child for child in node.get("children", ()) if isinstance(child, dict)]
    return node["type"] in _PLAIN and all(map(_is_plain, children))


def _bounded(expressions: Any, work: Callable[[], Any]) -> Any:
    """The result of `work`: at once for plain expressions, else from a child process."""
    if all(_is_plain(jmespath.compile(expression).parsed) for expression in expressions):
        return work()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _work(writing, work)
    os.close(writing)
    try:
        value = _result(reading)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if value is None:
        raise Unbounded(f"an expression took more than {SECONDS:g} s or too much memory")
    return value


def _work(writing: int, work: Callable[[], Any]) -> None:
    """The child process: sends the result and ends in any case."""
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS) + 1, int(SECONDS) + 1))
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, hard))
        text = json.dumps(work(), default=str).encode()
        if len(text) <= ROOM:
            with open(writing, "wb") as pipe:
                pipe.write(text)
    finally:
        os._exit(0)


def _result(reading: int) -> Any:
    """The child's result within the time; None without one."""
    text = b""
    left = SECONDS
    began = os.times().elapsed
    while left > 0 and select.select([reading], [], [], left)[0]:
        part = os.read(reading, ROOM)
        if not part:
            return json.loads(text) if text else None
        text += part
        left = SECONDS - (os.times().elapsed - began)
    return None
