"""HTTP: only idempotent requests are retried, and no response can take for ever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from stagegate.clients import http, http_adapter
from stagegate.errors import Stop
from tests.clients.answering import Answer, Asked, answering

SECRET = "s3cret-of-nobody"


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0")


def failing_until(good: int, **answer: Any) -> tuple[list[str], Callable[[Asked], Answer]]:
    """A reply that fails in one way until the `good`th request, and the list of what was asked."""
    asked: list[str] = []

    def reply(request: Asked) -> Answer:
        asked.append(request.method)
        return Answer(body=b"at last") if len(asked) >= good else Answer(**answer)

    return asked, reply


@pytest.mark.parametrize(
    "answer", [{"status": 503}, {"status": 429}, {"status": 500}, {"status": 502}, {"cut": True}]
)
def test_a_failed_read_is_retried(answer: dict[str, object]) -> None:
    asked, reply = failing_until(4, **answer)
    with answering(reply) as server, http.session() as session:
        assert session.get(f"http://{server.host}/x").content == b"at last"
    assert asked == ["GET"] * 4


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("answer", [{"status": 503, "headers": {"Retry-After": "0"}}, {"cut": True}])
def test_a_failed_write_is_never_retried(method: str, answer: dict[str, object]) -> None:
    asked, reply = failing_until(2, **answer)
    with answering(reply) as server, http.session() as session:
        try:
            status = session.request(method, f"http://{server.host}/x", data=b"once").status_code
        except requests.ConnectionError:
            status = 0
    assert status == answer.get("status", 0)
    assert asked == [method]


def test_the_last_response_is_returned_when_every_retry_fails() -> None:
    asked, reply = failing_until(99, status=503, body=b"closed")
    with answering(reply) as server, http.session(retries=2) as session:
        answer = session.get(f"http://{server.host}/x")
    assert (answer.status_code, answer.content, len(asked)) == (503, b"closed", 3)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_not_retried(status: int) -> None:
    asked, reply = failing_until(99, status=status)
    with answering(reply) as server, http.session() as session:
        assert session.get(f"http://{server.host}/x").status_code == status
    assert len(asked) == 1


def test_retry_after_is_honoured_up_to_a_limit() -> None:
    asked, reply = failing_until(2, status=429, headers={"Retry-After": "1"})
    began = time.monotonic()
    with answering(reply) as server, http.session() as session:
        session.get(f"http://{server.host}/x")
    assert (len(asked), 1 <= time.monotonic() - began < 10) == (2, True)
    assert http.retrying().get_retry_after(_Waiting("3600")) == 20  # type: ignore[arg-type]


class _Waiting:
    """The part of a response that the wait is read from."""

    def __init__(self, seconds: str) -> None:
        self.headers = {"Retry-After": seconds}


@contextmanager
def dripping(head: bytes, pause: float) -> Iterator[str]:
    """A server that sends `head` at once and then one byte every `pause` seconds until nobody listens."""
    over = threading.Event()

    def drip(client: socket.socket) -> None:
        with client:
            client.recv(65536)
            client.sendall(head)
            while not over.wait(pause):
                try:
                    client.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while not over.is_set():
                try:
                    client = server.accept()[0]
                except OSError:
                    return
                threading.Thread(target=drip, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()


def test_a_body_that_arrives_byte_by_byte_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_adapter, "BODY_SECONDS", 0.5)
    began = time.monotonic()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    with dripping(head, 0.02) as host, http.session() as session, pytest.raises(Stop) as caught:
        http.reach(host, lambda: session.get(f"http://{host}/"))
    assert (caught.value.reason, time.monotonic() - began < 10) == ("unreachable", True)


def test_a_large_body_is_sent_in_blocks_that_each_have_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's timeout is for all bytes of one call, so a slow line could not finish an upload in it."""
    sizes: list[int] = []
    send = HTTPConnection.send

    def recorded(self: HTTPConnection, data: bytes) -> None:
        sizes.append(len(data))
        send(self, data)

    monkeypatch.setattr(HTTPConnection, "send", recorded)
    body = b"x" * 3_000_000
    with answering(lambda _: Answer(201)) as server, http.session() as session:
        for _ in range(2):
            session.put(f"http://{server.host}/", data=body)
        assert [asked.body for asked in server.asked] == [body, body]
    assert max(sizes) <= 1 << 16


def test_a_server_that_sends_nothing_ends_in_time() -> None:
    began = time.monotonic()
    with (
        dripping(b"", 60) as host,
        http.session(retries=0) as session,
        pytest.raises(requests.ConnectionError, match="Read timed out"),
    ):
        session.get(f"http://{host}/", timeout=(1, 0.3))
    assert time.monotonic() - began < 10


def test_every_request_has_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_adapter, "READ_SECONDS", 0.3)
    with (
        dripping(b"", 60) as host,
        http.session(retries=0) as session,
        pytest.raises(requests.ConnectionError, match="Read timed out"),
    ):
        session.get(f"http://{host}/")


@pytest.mark.parametrize(
    "sent",
    [b"Content-Length: 9\r\n\r\nshort", b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"],
    ids=["length", "chunked"],
)
def test_a_truncated_response_is_an_error(sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            client = server.accept()[0]
            with client:
                client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\n" + sent)

        thread = threading.Thread(target=once)
        thread.start()
        host = f"127.0.0.1:{server.getsockname()[1]}"
        with http.session(retries=0) as session, pytest.raises(Stop) as caught:
            http.reach(host, lambda: session.get(f"http://{host}/"))
        thread.join()
    assert caught.value.reason == "unreachable"


def test_one_connection_serves_many_requests() -> None:
    sizes = {"/long": 300_000, "/": 0}
    with answering(lambda asked: Answer(body=b"x" * sizes[asked.path])) as server, http.session() as session:
        for path in ("/long", "/", "/long"):
            assert len(session.get(f"http://{server.host}{path}").content) == sizes[path]
        adapter = session.get_adapter("http://")
        assert isinstance(adapter, HTTPAdapter)
        pools = adapter.poolmanager.pools
        assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118  no mapping


def test_an_unreachable_host_is_named_without_the_request() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with http.session(retries=1) as session, pytest.raises(Stop) as caught:
        http.reach(
            host,
            lambda: session.get(
                f"http://octo:{SECRET}@{host}/?key={SECRET}", headers={"Authorization": SECRET}
            ),
        )
    stop = caught.value
    assert (stop.reason, stop.what) == ("unreachable", f"{host} does not respond.")
    assert SECRET not in f"{stop} {stop.why} {stop.next}"
    assert "ConnectionError" in stop.why


def test_a_garbled_pace_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "fast")
    with pytest.raises(Stop, match="STAGEGATE_RETRY_PACE") as caught:
        http.retrying()
    assert caught.value.reason == "bad-input"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/x", "https://A.example:443/y?z", True),
        ("http://a.example", "http://a.example:80", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://b.example", False),
        ("https://a.example", "https://a.example.evil.example", False),
        ("https://a.example", "https://a.example:x", False),
    ],
)
def test_credentials_stay_with_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert http.same_origin(one, other) is same
