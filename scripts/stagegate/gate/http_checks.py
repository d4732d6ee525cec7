"""Runs scenarios over HTTP: each check once, or as long as its `retry` allows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
import urllib3

from stagegate import declared
from stagegate.clients import http
from stagegate.errors import Stop
from stagegate.gate import expressions, placeholders
from stagegate.gate.assertions import Answer, differences
from stagegate.gate.scenarios import Expect, Request, Retry, ScenarioCheck, Scenarios, wait_seconds
from stagegate.model import Check
from stagegate.runner import log, variables

P = TypeVar("P", Request, Expect)
BODY_LIMIT = 4 * 1024 * 1024  # bytes of a response that are read
REDIRECTS = 5
_ODD = re.compile(r"[\s\\\x00-\x20\x7f]")  # characters that parsers of addresses read differently
_WHOLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
LOGIN = "login"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of scenarios needs: the file's name for messages, the release's version, the job's variables,
    which checks the policy requires, how many seconds are left for all of it, and a clock in seconds."""

    file: str
    version: str
    environ: Mapping[str, str]
    required: tuple[str, ...] = ()
    left: float = float("inf")
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class _Unanswered(Exception):
    """There is no response to check; the text names the reason, without the request."""


def prepare(scenarios: Scenarios, run: Run) -> str:
    """The base URL, after checking variables and the hosts that may receive secrets. Stop otherwise."""
    document = msgspec.to_builtins(scenarios)
    names = sorted(set(placeholders.variables(document)))
    if mistakes := list(placeholders.refused(names, None)):
        raise declared.bad(run.file, [(1, text) for text in mistakes], "docs/scenarios.schema.json")
    placeholders.require(iter(names), run.environ, run.file)
    log.mask(*(run.environ[name] for name in names if not variables.is_open(name)))
    for address in (scenarios.base_url, *(sent.path for sent in _requests(scenarios))):
        placeholders.without_secrets(address, run.file)
    base = str(placeholders.fill(scenarios.base_url, run.environ, {})).rstrip("/")
    place = urlsplit(base)
    if (
        place.scheme not in ("http", "https")
        or not place.hostname
        or "@" in place.netloc
        or _ODD.search(base)
    ):
        raise Stop(
            "bad-input",
            f"base-url of {run.file} is not an address.",
            "The address must be an http or https URL without a user, spaces or backslashes.",
            f"Correct {scenarios.base_url} in the GitHub Environment.",
            file=run.file,
        )
    document.pop("base-url")
    inside_base = not _WHOLE.fullmatch(scenarios.base_url) and set(placeholders.variables(scenarios.base_url))
    if inside_base or set(placeholders.variables(document)):
        placeholders.guard(base, variables.hosts(run.environ), run.file)
    return base


def _requests(scenarios: Scenarios) -> Iterator[Request]:
    if scenarios.login:
        yield scenarios.login.request
    yield from (check.request for check in scenarios.checks)


def run_all(scenarios: Scenarios, base: str, run: Run) -> tuple[Check, ...]:
    """Every check, in the order of the file. Without its login a check that needs it is skipped, not passed."""
    values = {"version": run.version}
    run = msgspec.structs.replace(run, left=run.clock() + run.left)
    results: list[Check] = []
    with http.session(retries=0) as session:
        session.headers["Cache-Control"] = "no-cache"
        if scenarios.login:
            login = ScenarioCheck(
                name=LOGIN,
                request=scenarios.login.request,
                expect=scenarios.login.expect,
                retry=scenarios.login.retry,
            )
            check, response = _attempt(session, login, scenarios, base, run, values)
            if check.outcome == "passed" and response is not None:
                check = _capture(scenarios.login.capture, response, values, check)
            results.append(check)
            _tell(check)
        for item in scenarios.checks:
            needs = (scenarios.login.capture.keys() if scenarios.login else set()) - values.keys()
            used = set(placeholders.captured(msgspec.to_builtins(item.request))) & needs
            must = item.required or item.name in run.required
            if used:
                detail = f"{', '.join(sorted(used))} has no value, because the login failed"
                check = Check(name=item.name, outcome="skipped", required=must, detail=detail)
            else:
                check, _ = _attempt(session, item, scenarios, base, run, values)
                check = msgspec.structs.replace(check, required=must)
            results.append(check)
            _tell(check)
    names = {check.name for check in results}
    absent = [
        Check(name=n, outcome="skipped", detail="the scenario file has no check of this name")
        for n in run.required
        if n not in names
    ]
    return (*results, *absent)


def _tell(check: Check) -> None:
    log.say(f"  {check.outcome:<7} {check.name} ({check.seconds:.2f} s) {check.detail}".rstrip())


def _attempt(
    session: requests.Session,
    check: ScenarioCheck,
    scenarios: Scenarios,
    base: str,
    run: Run,
    captured: Mapping[str, str],
) -> tuple[Check, Answer | None]:
    """One check until it passes or its retry is over; the seconds are those of the last try."""
    request = _filled(check.request, run.environ, captured)
    expect = _filled(check.expect, run.environ, captured)
    limit = wait_seconds(scenarios.timeout)
    end = min(run.left, run.clock() + (wait_seconds(check.retry.for_) if check.retry else 0))
    while True:
        response, problem = None, ""
        began = run.clock()
        try:
            response = _ask(session, request, base, limit, run.clock)
            problem = next(differences(response, expect, secret=check.name == LOGIN), "")
        except _Unanswered as error:
            problem = str(error)
        if not problem or run.clock() >= end:
            seconds = round(response.seconds if response else run.clock() - began, 3)
            outcome: Any = "failed" if problem else "passed"
            detail = log.redact(problem)[:400]
            return Check(name=check.name, outcome=outcome, seconds=seconds, detail=detail), response
        run.sleep(_pause(check.retry, end - run.clock()))


def _filled(part: P, environ: Mapping[str, str], captured: Mapping[str, str]) -> P:
    """A request or an expectation with its placeholders replaced."""
    changed = {
        field: placeholders.fill(value, environ, captured)
        for field in part.__struct_fields__
        if isinstance(value := getattr(part, field), str | dict | list)
    }
    return msgspec.structs.replace(part, **changed)


def _pause(retry: Retry | None, left: float) -> float:
    return max(0.0, min(wait_seconds(retry.every) if retry else 0.0, left))


def _ask(
    session: requests.Session, request: Request, base: str, limit: float, clock: Callable[[], float]
) -> Answer:
    """The response within `limit` seconds in total. Redirects are followed only if allowed, on the same host."""
    url, began = base + request.path, clock()
    data = request.body.encode() if request.body else None
    body = {"json": request.json} if request.json is not msgspec.UNSET else {"data": data}
    for _ in range(REDIRECTS + 1):
        left = limit - (clock() - began)
        if left <= 0:
            raise _Unanswered(f"no response within {limit:g} s")
        try:
            with session.request(
                request.method,
                url,
                params=request.query,
                headers=request.headers,
                allow_redirects=False,
                stream=True,
                timeout=(min(left, http.CONNECT_SECONDS), left),
                **body,
            ) as response:
                content = _read(response, began + limit, clock)
        except requests.Timeout as error:
            raise _Unanswered(f"no response within {limit:g} s") from error
        except requests.RequestException as error:
            raise _Unanswered(f"{urlsplit(url).netloc} does not respond ({type(error).__name__})") from error
        if not (request.redirects and response.is_redirect):
            return Answer(
                status=response.status_code, headers=response.headers, body=content, seconds=clock() - began
            )
        target = urljoin(url, response.headers["Location"])
        if urlsplit(target)[:2] != urlsplit(url)[:2]:
            raise _Unanswered(
                "the response redirects to a different host, so the gate does not follow the redirect"
            )
        url = target
    raise _Unanswered(f"more than {REDIRECTS} redirects")


def _read(response: requests.Response, end: float, clock: Callable[[], float]) -> bytes:
    """The whole body, read as it arrives, so that a slow server cannot delay the gate."""
    content = b""
    try:
        while chunk := response.raw.read1(64 * 1024, decode_content=True):
            content += chunk
            if len(content) > BODY_LIMIT:
                raise _Unanswered(f"the response is longer than {BODY_LIMIT} bytes")
            if clock() > end:
                raise requests.Timeout
    except urllib3.exceptions.TimeoutError as error:
        raise requests.Timeout from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError from error
    return content


def _capture(
    expected: Mapping[str, str], response: Answer, captured_values: dict[str, str], check: Check
) -> Check:
    """Keep the values of the login's response as secrets; a login without them has failed."""
    try:
        captured = expressions.search(response.body, expected)
    except (ValueError, expressions.Unbounded):
        captured = dict.fromkeys(expected)
    lost = sorted(name for name, value in captured.items() if not isinstance(value, str | int) or value == "")
    if lost:
        detail = f"the response does not contain {', '.join(lost)}"
        return msgspec.structs.replace(check, outcome="failed", detail=detail)
    log.mask(*(str(value) for value in captured.values()))
    captured_values.update({name: str(value) for name, value in captured.items()})
    return check
