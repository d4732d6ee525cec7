"""The shop: a small JSON service over HTTP/1.1, standard library only.

Environment: SHOP_USER and SHOP_PASSWORD (required, the one login), HOST (default: every interface), PORT (8080),
SHOP_CURRENCY (EUR). SIGTERM lets requests in flight finish.
"""

from __future__ import annotations

import hmac
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import catalogue
import tokens

HERE = Path(__file__).resolve().parent
BODY_LIMIT = 64 * 1024  # bytes
DRAIN_SECONDS = 20.0  # less than Kubernetes' grace period of 30

Json = dict[str, Any]


@dataclass(frozen=True)
class Config:
    user: str
    password: str
    currency: str
    version: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Config:
        """Raises KeyError with the name of a variable that is missing or empty."""
        for name in ("SHOP_USER", "SHOP_PASSWORD"):
            if not environ.get(name):
                raise KeyError(name)
        return cls(
            user=environ["SHOP_USER"],
            password=environ["SHOP_PASSWORD"],
            currency=environ.get("SHOP_CURRENCY", "EUR"),
            version=read_version(),
        )


def read_version() -> str:
    """The image holds VERSION beside this file; a checkout has it one folder up."""
    beside = HERE / "VERSION"
    file = beside if beside.is_file() else HERE.parent / "VERSION"
    return file.read_text(encoding="utf-8").strip()


class Refused(Exception):
    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


def health(shop: Config, _body: Json) -> Json:
    return {"status": "ok", "version": shop.version}


def login(shop: Config, body: Json) -> Json:
    given = f"{body.get('user')}\n{body.get('password')}"
    if not hmac.compare_digest(given.encode(), f"{shop.user}\n{shop.password}".encode()):
        raise Refused(401, "unknown user or wrong password")
    return {"access_token": tokens.issue(shop.password, time.time()), "expires_in": tokens.LIFETIME}


def products(shop: Config, _body: Json) -> Json:
    return {"currency": shop.currency, "items": [asdict(product) for product in catalogue.PRODUCTS]}


def query(shop: Config, body: Json) -> Json:
    text, limit = body.get("query"), body.get("limit", 20)
    if not isinstance(text, str) or type(limit) is not int or limit < 1:
        raise Refused(400, "query is a string, limit a number above 0")
    return {"currency": shop.currency, "items": [asdict(item) for item in catalogue.search(text, limit)]}


Route = Callable[[Config, Json], Json]
OPEN: dict[tuple[str, str], Route] = {("GET", "/health"): health, ("POST", "/auth/login"): login}
WITH_TOKEN: dict[tuple[str, str], Route] = {("GET", "/api/products"): products, ("POST", "/api/query"): query}


class Shop(ThreadingHTTPServer):
    daemon_threads = True  # idle keep-alive connections do not hold up the end, `drain` waits for busy ones

    def __init__(self, address: tuple[str, int], config: Config) -> None:
        self.config = config
        self._busy = 0
        self._changed = threading.Condition()
        super().__init__(address, Handler)

    @contextmanager
    def request(self) -> Iterator[None]:
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def drain(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._busy == 0, seconds)


class Handler(BaseHTTPRequestHandler):
    server: Shop
    protocol_version = "HTTP/1.1"
    server_version = "shop"
    sys_version = ""
    timeout = 60  # seconds a connection may be idle
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        with self.server.request():
            try:
                status, answer = 200, self.route()(self.server.config, self.body())
            except Refused as refused:
                status, answer = refused.status, {"error": refused.error}
            self.answer(status, answer)

    do_POST = do_GET

    def route(self) -> Route:
        key = (self.command, self.path.partition("?")[0])
        if key in OPEN:
            return OPEN[key]
        if key not in WITH_TOKEN:
            self.close_connection = True  # its body was not read
            raise Refused(404, "no such resource")
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not tokens.valid(token, self.server.config.password, time.time()):
            self.close_connection = True
            raise Refused(401, "log in first: POST /auth/login")
        return WITH_TOKEN[key]

    def body(self) -> Json:
        length = self.headers.get("Content-Length", "0")
        chunked = "Transfer-Encoding" in self.headers
        if chunked or not length.isdecimal() or int(length) > BODY_LIMIT:
            self.close_connection = True
            raise Refused(413, f"a body has a length, of at most {BODY_LIMIT} bytes")
        try:
            value = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Refused(400, "a body is a JSON object")
        return value

    def answer(self, status: int, answer: Json) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        # probes ask every few seconds; a broken request has no path
        if getattr(self, "path", "") != "/health":
            super().log_request(code, size)


def main() -> int:
    try:
        config = Config.read(os.environ)
    except KeyError as missing:
        print(f"{missing.args[0]} is not set: the shop has no login to check", file=sys.stderr)
        return 2
    server = Shop((os.environ.get("HOST", ""), int(os.environ.get("PORT", "8080"))), config)
    # shutdown() waits for serve_forever(), which this handler interrupts: only another thread may call it
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"shop {config.version} on port {server.server_port}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    server.drain(DRAIN_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
