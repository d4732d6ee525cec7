"""Routes as a table: (method, pattern) -> function, with the permissions that GitHub documents for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from lab.forge.exchange import Answer, Ask

Handler = Callable[[Ask], Answer]


@dataclass(frozen=True)
class Route:
    """`{name}` is one part of the path, `{name*}` the rest. `person`: the role that is enough for people."""

    method: str
    pattern: str
    handler: Handler
    needs: str = ""
    person: str = ""

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The pattern, compiled."""
        parts = re.split(r"(\{\w+\*?\})", self.pattern)
        text = "".join(_part(part) for part in parts)
        return re.compile(f"{text}/?")


def _part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    name = part.strip("{}*")
    return f"(?P<{name}>.+?)" if part.endswith("*}") else f"(?P<{name}>[^/]+)"


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The first route of the table that fits, with the parts of its path; HEAD is answered as GET."""
    method = "GET" if method == "HEAD" else method
    for route in routes:
        if route.method == method and (match := route.regex.fullmatch(path)):
            return route, match.groupdict()
    return None
