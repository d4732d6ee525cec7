"""Regular expressions that are compiled when they are first used.

A step imports many modules and uses few of their patterns, and compiling all of them takes longer than its work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast


class _Later:
    """Compiled by the first access to anything that a pattern has; its methods are then kept here."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by copy and the like: a pattern has none that matters
            raise AttributeError(name)
        value = getattr(_compile(*self._arguments), name)
        self.__dict__[name] = value
        return value


_compile = re.compile


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern, with the methods and attributes of a compiled one."""
    return cast("re.Pattern[str]", _Later(text, flags))


@contextmanager
def compiled_later() -> Iterator[None]:
    """Within it, an imported library's own `re.compile` gives such patterns too."""
    re.compile = _Later  # type: ignore[assignment]
    try:
        yield
    finally:
        re.compile = _compile
