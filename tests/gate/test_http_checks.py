"""Scenarios against a real process: which checks pass, and which hosts may get secrets."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from stagegate.errors import Stop
from stagegate.gate import assertions, http_checks, scenarios
from stagegate.gate.http_checks import Run
from stagegate.model import Check
from stagegate.runner import log

PASSWORD = "hunter2-hunter2"
TOKEN = "token-" + "t" * 20
LOGIN = """\
login:
  request: {method: POST, path: /login, json: {user: "${SHOP_USER}", password: "${SHOP_PASSWORD}"}}
  capture: {token: access_token}
"""


class Service:
    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    @property
    def seen(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requests.get(f"{self.url}/seen", timeout=5).json()
        return found


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    program = Path(__file__).with_name("service.py")
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        yield Service(int(process.stdout.readline()))
        process.stdin.close()
        assert process.wait(5) == 0


def run(service: Service, text: str, **more: Any) -> dict[str, Check]:
    """The outcome of a scenario file by check name. `text` is what follows base-url."""
    content = f"base-url: ${{SHOP_URL}}\ntimeout: 1s\n{text}".encode()
    environ = {
        "SHOP_URL": service.url,
        "SHOP_USER": "demo",
        "SHOP_PASSWORD": PASSWORD,
        "STAGEGATE_HOSTS": f"127.0.0.1:{service.port}",
        **more.pop("environ", {}),
    }
    asked = Run(file="e2e/shop.yaml", version="1.1.0", environ=environ, **more)
    parsed = scenarios.parse(content, "e2e/shop.yaml")
    return {c.name: c for c in http_checks.run_all(parsed, http_checks.prepare(parsed, asked), asked)}


def check(request: str, expect: str = "{status: 200}", more: str = "") -> str:
    return f"checks:\n  - {{name: it, request: {request}, expect: {expect}{more}}}\n"


def test_a_login_its_captured_token_and_a_query_pass(service: Service) -> None:
    found = run(
        service,
        LOGIN
        + """\
checks:
  - {name: health, request: {path: /health}, expect: {json: {status: ok, version: "{version}"}}}
  - name: items
    request: {path: /items, headers: {Authorization: "Bearer {token}"}}
    expect: {json: {"length(items)": 2, "items[0].id": 1}}
  - {name: closed, request: {path: /items}, expect: {status: [401, 403]}}
""",
    )
    assert [(c.name, c.outcome) for c in found.values()] == [
        (name, "passed") for name in ("login", "health", "items", "closed")
    ]


@pytest.mark.parametrize(
    ("request_", "expect", "why"),
    [
        ("{path: /health}", '{json: {version: "1.0.0"}}', 'version is "1.1.0", expected "1.0.0"'),
        ("{path: /health}", "{json: {one: true}}", "one is 1, expected true"),
        ("{path: /health}", "{json: {ok: 1}}", "ok is true, expected 1"),
        ("{path: /health}", "{json: {nothing: 1}}", "nothing is null"),
        ("{path: /health}", '{json: {"length(ok)": 1}}', "cannot be evaluated"),
        ("{path: /health}", "{status: 204}", "status 200, expected 204"),
        ("{path: /health}", "{headers: {X-Powered-By: us}}", "header X-Powered-By is null"),
        ("{path: /health}", "{contains: nowhere}", "does not contain"),
        ("{path: /missing}", "{}", "status 404, expected 200"),
        ("{path: /page}", "{json: {a: 1}}", "not JSON"),
        ("{path: /slow}", "{within: 100ms}", "longer than the allowed 100ms"),
        ("{path: /drip}", "{}", "no response within 1 s"),
        ("{path: /moved}", "{}", "status 302"),
        ("{path: /away, redirects: true}", "{}", "a different host"),
        ("{path: /huge}", "{}", "longer than"),
        ("{path: /later}", "{}", "status 503"),
    ],
)
def test_an_unexpected_response_fails_with_its_reason(
    service: Service, request_: str, expect: str, why: str
) -> None:
    found = run(service, check(request_, expect))["it"]
    assert found.outcome == "failed"
    assert why in found.detail


def test_redirects_are_followed_on_the_same_host_when_allowed(service: Service) -> None:
    assert (
        run(service, check("{path: /moved, redirects: true}", "{json: {ok: true}}"))["it"].outcome == "passed"
    )


def test_a_check_is_repeated_only_with_retry(service: Service) -> None:
    def tries(path: str) -> int:
        return sum(r["path"] == path for r in service.seen)

    before = tries("/missing"), tries("/later")
    assert run(service, check("{path: /missing}"))["it"].outcome == "failed"
    assert tries("/missing") == before[0] + 1
    found = run(service, check("{path: /later}", more=", retry: {for: 5s, every: 20ms}"))["it"]
    assert (found.outcome, tries("/later") > before[1]) == ("passed", True)


def test_an_unreachable_service_fails_within_its_time(service: Service) -> None:
    began = time.monotonic()
    found = run(service, check("{path: /health}"), environ={"SHOP_URL": "http://127.0.0.1:9"})["it"]
    assert (found.outcome, "does not respond" in found.detail) == ("failed", True)
    assert time.monotonic() - began < 60  # the scenario's timeout ends it, not the job


@pytest.mark.parametrize(
    ("login", "why"),
    [
        (LOGIN.replace("/login", "/empty-login"), "does not contain token"),
        (LOGIN.replace("access_token", "nothing"), "does not contain token"),
        (LOGIN.replace("${SHOP_PASSWORD}", "wrong"), "status 401"),
    ],
)
def test_a_check_that_needs_a_failed_login_is_skipped_and_not_passed(
    service: Service, login: str, why: str
) -> None:
    found = run(service, login + check('{path: /items, headers: {Authorization: "Bearer {token}"}}'))
    assert (found["login"].outcome, why in found["login"].detail) == ("failed", True)
    assert (found["it"].outcome, found["it"].required) == ("skipped", True)


def test_the_policy_can_require_what_the_release_calls_optional(service: Service) -> None:
    text = check("{path: /missing}", more=", required: false")
    assert run(service, text)["it"].required is False
    found = run(service, text, required=("it", "gone"))
    assert (found["it"].required, found["it"].outcome) == (True, "failed")
    assert (found["gone"].outcome, found["gone"].required) == ("skipped", True)


@pytest.mark.parametrize("hosts", ["", "shop.example.com", "127.0.0.1:1", "127.0.0.2"])
def test_a_secret_goes_only_to_listed_hosts(service: Service, hosts: str) -> None:
    before = len(service.seen)
    with pytest.raises(Stop, match="STAGEGATE_HOSTS") as stopped:
        run(service, LOGIN + check("{path: /health}"), environ={"STAGEGATE_HOSTS": hosts})
    assert (stopped.value.reason, stopped.value.verdict.exit_code) == ("wrong-source", 2)
    assert len(service.seen) == before


def test_without_a_secret_no_list_is_needed(service: Service) -> None:
    assert run(service, check("{path: /health}"), environ={"STAGEGATE_HOSTS": ""})["it"].outcome == "passed"


@pytest.mark.parametrize("name", ["SHOP_URL", "SHOP_PASSWORD"])
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_secret_is_reported_with_its_cause(service: Service, name: str, value: str) -> None:
    with pytest.raises(Stop, match="environment") as stopped:
        run(service, LOGIN + check("{path: /health}"), environ={name: value})
    assert stopped.value.reason == "empty-secret"
    assert name in stopped.value.what


def test_secrets_reach_neither_log_nor_detail(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    echo = check(
        '{path: /items, headers: {Authorization: "Bearer {token}"}, query: {p: "${SHOP_PASSWORD}"}}',
        "{json: {echo: nothing}}",
    )
    found = run(service, LOGIN + echo)
    body = run(service, LOGIN.replace("user:", "also: x, user:").replace("/login", "/missing") + echo)
    said = capsys.readouterr().out + str(found) + str(body)
    assert PASSWORD not in said
    assert TOKEN not in said
    assert "Bearer" in found["it"].detail  # the value in the response is shown, without the secret in it
    assert log.redact(PASSWORD) != PASSWORD


def test_no_value_of_a_response_that_may_contain_a_secret_is_shown(service: Service) -> None:
    expecting = LOGIN.replace("  capture:", '  expect: {json: {access_token: "x"}}\n  capture:')
    found = run(
        service, expecting + check("{path: /health}", '{json: {"items[0].session_key": a, version: b}}')
    )
    assert found["login"].detail == 'access_token is other, expected "x"'
    assert found["it"].detail == 'items[0].session_key is other, expected "a"'
    expecting = LOGIN.replace(
        "  capture:", '  expect: {headers: {Content-Type: "x", X-Gone: "y"}}\n  capture:'
    )
    login = run(service, expecting + check("{path: /health}"))["login"].detail
    assert login == 'header Content-Type is other, expected "x"'


@pytest.mark.parametrize("name", ["Set-Cookie", "Authorization", "X-Session-Id"])
def test_a_header_by_the_name_of_a_secret_is_not_shown(name: str) -> None:
    answer = assertions.Answer(status=200, headers={name: "sid=TOPSECRET"}, body=b"", seconds=0.1)
    expect = scenarios.Expect(headers={name: "x"})
    assert list(assertions.differences(answer, expect, secret=False)) == [
        f'header {name} is other, expected "x"'
    ]


def test_values_that_look_like_placeholders_are_not_filled_again(service: Service) -> None:
    run(service, LOGIN + check("{path: /health}"), environ={"SHOP_PASSWORD": "${SHOP_USER}{version}{token}"})
    sent = [r["body"] for r in service.seen if r["path"] == "/login"]
    assert '"${SHOP_USER}{version}{token}"' in sent[-1]


def test_every_mistake_of_a_scenario_file_is_reported_with_its_line() -> None:
    text = b"""\
base-url: ${SHOP_URL}
checks:
  - {nam: a, request: {path: /}}
  - {name: b, request: {path: nowhere}}
  - {name: c, request: {path: /, methd: GET}, expect: {within: soon}}
"""
    with pytest.raises(Stop) as stopped:
        scenarios.parse(text, "e2e/shop.yaml")
    for part in ("line 3", "did you mean name", "line 4", "line 5", "did you mean method", "soon"):
        assert part in stopped.value.why
    assert (stopped.value.reason, stopped.value.file, stopped.value.line) == (
        "bad-settings",
        "e2e/shop.yaml",
        3,
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("checks: [{name: a, request: {path: /}}, {name: a, request: {path: /}}]", "two checks are named"),
        ('checks: [{name: a, request: {path: /}, expect: {json: {"a[": 1}}}]', "not JMESPath"),
        ("checks: [{name: a, request: {path: /, json: 1, body: x}}]", "may have `json` or `body`"),
        ("login: {request: {path: /}, capture: {version: a}}\nchecks: []", "captures `version`"),
    ],
)
def test_contradictions_in_a_scenario_file_are_reported(text: str, why: str) -> None:
    with pytest.raises(Stop, match="mistake") as stopped:
        scenarios.parse(f"base-url: http://127.0.0.1\n{text}\n".encode(), "e2e/shop.yaml")
    assert why in stopped.value.why
