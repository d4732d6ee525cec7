"""Planned faults: the nth matching call fails in the way that a test requested."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from lab.forge.exchange import Answer
from lab.forge.values import Body

How = int | str | Mapping[str, object]
WAYS = ("reset", "timeout", "after", "rate-limit", "secondary", "resource-limit", "base-modified")


@dataclass
class _Plan:
    method: str
    path: re.Pattern[str]
    nth: int | None
    how: How
    seen: int = 0


class Faults:
    """The plans, in the order they were made; the first that fires decides."""

    def __init__(self) -> None:
        self._plans: list[_Plan] = []
        self._lock = threading.Lock()

    def add(self, method: str, path: str, nth: int | None, how: How) -> None:
        """See `Forge.fail`."""
        if isinstance(how, str) and how not in WAYS:
            raise ValueError(f"how must be a status, a dict or one of {WAYS}, not {how!r}")
        with self._lock:
            self._plans.append(_Plan(method.upper(), re.compile(path), nth, how))

    def clear(self) -> None:
        """Remove all plans."""
        with self._lock:
            self._plans.clear()

    def next(self, method: str, target: str) -> How | None:
        """The fault for this call; counts the call for every plan that it matches."""
        decided: How | None = None
        with self._lock:
            for plan in self._plans:
                if plan.method not in ("*", method) or not plan.path.search(target):
                    continue
                plan.seen += 1
                if decided is None and plan.nth in (None, plan.seen):
                    decided = plan.how
        return decided


def answer(how: How, now: float, *, graphql: bool = False) -> Answer:
    """The response of a fault that has one (a status, a dict, the limits, which GraphQL reports with 200)."""
    if isinstance(how, Mapping):
        sent = how.get("headers")
        headers = {str(key): str(value) for key, value in sent.items()} if isinstance(sent, Mapping) else {}
        return Answer(int(str(how.get("status", 500))), how.get("body"), headers)
    if how == "rate-limit":
        reset = {
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Used": "5000",
            "X-RateLimit-Reset": str(int(now) + 1200),
        }
        text = "API rate limit already exceeded for installation ID 1."
        if graphql:
            error = {"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": text}
            return Answer(200, {"errors": [error]}, reset)
        return Answer(403, _said(text), reset)
    if how == "secondary":
        text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        if graphql:
            return Answer(200, {"errors": [{"message": text}]}, {"Retry-After": "60"})
        return Answer(403, _said(text), {"Retry-After": "60"})
    if how == "resource-limit":
        too_much = {"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits for this query exceeded."}
        return Answer(200, {"data": None, "errors": [too_much]})
    if how == "base-modified":
        return Answer(405, _said("Base branch was modified. Review and try the merge again."))
    status = int(how)
    message = {500: "Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}.get(status, "Failed")
    return Answer(status, _said(message))


def _said(message: str) -> Body:
    return {"message": message, "documentation_url": "https://docs.github.com/rest"}
