"""A hub whose GitHub gives scripted responses: a list of (status, headers, body), the last one repeatedly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from stagegate.clients import hub as H
from stagegate.errors import Stop

__all__ = ["H", "Response", "Stop", "json", "make", "show", "time"]

Response = tuple[int, Mapping[str, str], Any]


def make(answers: list[Response] | Response, pace: float = 0) -> tuple[H.Hub, dict[str, list[Any]]]:
    """The hub, and what it requested ("asked": verb, path, body) and how long it waited ("slept": seconds)."""
    hub = H.connect(
        "acme/shop",
        "ghs_x",
        api_url="https://api.github.com",
        graphql_url="https://api.github.com/graphql",
        server_url="https://github.com",
        pace=pace,
    )
    remaining = list(answers) if isinstance(answers, list) else [answers]
    log: dict[str, list[Any]] = {"asked": [], "slept": []}

    def request(verb: str, url: str, _params: object, _headers: object, body: object) -> Response:
        log["asked"].append((verb, url.split("api.github.com")[-1], body))
        status, sent, content = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        text = content if isinstance(content, str) else json.dumps(content)
        return status, {name.lower(): value for name, value in sent.items()}, text

    connection: Any = hub._c
    connection._requester.requestJson = request
    connection.sleep = lambda seconds: log["slept"].append(round(seconds, 1))
    return hub, log


def show(name: str, answers: list[Response] | Response, call: Callable[[H.Hub], object]) -> None:
    """Print the result of a call in one line."""
    hub, log = make(answers)
    try:
        result = f"OK {str(call(hub))[:120]}"
    except Stop as stop:
        result = f"Stop {stop.reason}: {stop.what} {stop.why} NEXT {stop.next}"[:420]
    except Exception as error:  # noqa: BLE001 - a case shows defects too
        result = f"DEFECT {type(error).__name__}: {error}"
    print(f"{name}: {result}  | asked {len(log['asked'])}, slept {log['slept']}")
