"""A scenario file is part of the release: what it may do to the job that runs it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from stagegate.errors import Stop
from stagegate.gate import http_checks, scenarios


class Sink:
    def __init__(self) -> None:
        seen = self.seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append((self.path, dict(self.headers)))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"version": "1.1.0"}')

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_port


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.server.shutdown()


def gate(text: str, environ: dict[str, str]):
    found = scenarios.parse(text.encode(), "e2e/shop.yaml")
    run = http_checks.Run(file="e2e/shop.yaml", version="1.1.0", environ=environ)
    return http_checks.run_all(found, http_checks.prepare(found, run), run)


SECRET = "correct-horse-battery"


@pytest.mark.parametrize(
    "base",
    ["http://127.0.0.1:{port}/${{SHOP_PASSWORD}}", "http://127.0.0.1:{port}/x?p=${{SHOP_PASSWORD}}&q="],
)
def test_a_secret_in_the_base_url_goes_to_no_host_that_is_not_listed(sink: Sink, base: str) -> None:
    text = f"base-url: {base.format(port=sink.port)}\nchecks: [{{name: a, request: {{path: /}}}}]\n"
    environ = {"SHOP_PASSWORD": SECRET, "STAGEGATE_HOSTS": "shop.example"}
    try:
        gate(text, environ)
    except Stop as stop:
        assert stop.reason == "wrong-source"
    print(sink.seen)
    assert SECRET not in str(sink.seen)


@pytest.mark.parametrize(
    "name", ["SG_APP_KEY", "SG_ARGOCD_TOKEN", "SG_REGISTRY_PASSWORD", "ACTIONS_RUNTIME_TOKEN", "GITHUB_TOKEN"]
)
def test_a_scenario_cannot_name_the_inputs_of_stagegate(sink: Sink, name: str) -> None:
    """Even for a listed host: the software there is the release under test, and its author wrote the scenario too."""
    text = f"base-url: http://127.0.0.1:{sink.port}\nchecks: [{{name: a, request: {{path: /, headers: {{X: '${{{name}}}'}}}}}}]\n"
    environ = {name: SECRET, "STAGEGATE_HOSTS": f"127.0.0.1:{sink.port}"}
    with contextlib.suppress(Stop):
        gate(text, environ)
    assert SECRET not in str(sink.seen)


def test_an_expectation_cannot_test_the_value_of_a_secret(sink: Sink) -> None:
    text = f"base-url: http://127.0.0.1:{sink.port}\nchecks: [{{name: a, request: {{path: /}}, expect: {{contains: '${{SG_APP_KEY}}'}}}}]\n"
    with pytest.raises(Stop):
        gate(text, {"SG_APP_KEY": SECRET, "STAGEGATE_HOSTS": f"127.0.0.1:{sink.port}"})


def test_an_expensive_jmespath_expression_ends(sink: Sink) -> None:
    import time

    expr = "[" + ",".join(["@"] * 12) + "]"
    for _ in range(7):
        expr = f"{expr} | [{','.join(['@'] * 12)}]"
    text = f'base-url: http://127.0.0.1:{sink.port}\nchecks: [{{name: a, request: {{path: /}}, expect: {{json: {{"{expr}": 1}}}}}}]\n'
    began = time.monotonic()
    gate(text, {})
    assert time.monotonic() - began < 10
