"""Argo CD's REST API over HTTP: routing, the stream, and the faults of proxies in front of it."""

from __future__ import annotations

import json
import queue
import re
import ssl
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from lab.argocd.access import EXPIRED, PERMISSION_DENIED, PRECONDITION, UNAUTHENTICATED, ApiError, Token
from lab.argocd.api import Api, Query
from lab.argocd.faults import ANSWERS, Fault

Json = dict[str, Any]
HTML_502 = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
LOGIN = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head>"
    b"<body><form method='post'>Sign in to continue</form></body></html>"
)
PING = 0.2  # seconds a stream waits for an event before it looks whether it should end


class LoginPage:
    """An identity provider's host: returns 200 and a page for every request, and records the request."""

    def __init__(self) -> None:
        self.requests: list[Mapping[str, str]] = []
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page.requests.append({key.lower(): value for key, value in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(LOGIN)))
                self.end_headers()
                self.wfile.write(LOGIN)

            def log_message(self, format: str, *args: object) -> None:  # noqa: ARG002
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_address[1]}/login"  # another host than 127.0.0.1
        threading.Thread(
            target=self._server.serve_forever, args=(0.1,), daemon=True, name="login-page"
        ).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Server:
    """Serves `api` on 127.0.0.1; `calls` counts requests by method and route for tests."""

    def __init__(self, api: Api, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.login, self.calls = LoginPage(), list[str]()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(api, self))
        self._server.daemon_threads = True
        self.closing = threading.Event()
        if tls is not None:  # the handshake belongs to the request's thread, not to the one that accepts
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.1,), daemon=True, name="argocd-server"
        ).start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self.login.close()


def _handler(api: Api, server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: ARG002
            return

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query: Query = parse_qs(address.query, keep_blank_values=True)
            path = unquote(address.path)
            server.calls.append(f"GET {path}")
            try:
                self._route(path, query)
            except ApiError as error:
                self._json(error.status, error.body())
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _refuse_to_write(self) -> None:
            """Count and deny every write, because a gate only reads."""
            path = unquote(urlsplit(self.path).path)
            server.calls.append(f"{self.command} {path}")
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                token = api.tokens.identify(self.headers.get("Authorization"))
                name = path.removeprefix("/api/v1/applications/").partition("/")[0]
                words = f"permission denied: applications, sync, default/{name}, sub: {token.name}"
                raise ApiError(PERMISSION_DENIED, words)
            except ApiError as error:
                self._json(error.status, error.body())

        do_POST = do_PUT = do_PATCH = do_DELETE = _refuse_to_write

        def _route(self, path: str, query: Query) -> None:
            if path == "/healthz":
                return self._send(200, "text/plain; charset=utf-8", b"ok")
            if path == "/api/version":
                return self._json(
                    200, {"Version": f"v{api.version}", "GoVersion": "go1.24", "Platform": "linux/amd64"}
                )
            if path == "/api/v1/clusters":
                return self._json(200, api.clusters(api.tokens.identify(self.headers.get("Authorization"))))
            match = re.fullmatch(r"/api/v1/(stream/)?applications(?:/([^/]+))?(?:/([a-z-]+))?", path)
            if not match:
                return self._json(404, {"error": "Not Found", "code": 5, "message": "Not Found"})
            name = match[2] or query.get("name", ["*"])[0]
            fault = api.faults.take(name, *ANSWERS, *(("no-stream",) if match[1] else ()))
            if fault and self._faulty(fault):
                return None
            token = api.tokens.identify(self.headers.get("Authorization"))
            if match[1]:
                return self._stream(token, query)
            if match[2] is None:
                return self._json(200, api.listing(token, query))
            return self._json(200, api.answer(token, match[2], match[3] or "", query))

        def _faulty(self, fault: Fault) -> bool:
            """Respond as the fault requires; false when the request may continue."""
            words = fault.text("message", "")
            if fault.kind == "401":
                raise ApiError(UNAUTHENTICATED, words or EXPIRED)
            if fault.kind == "403":
                raise ApiError(PERMISSION_DENIED, words or "permission denied")
            if fault.kind == "precondition":
                raise ApiError(PRECONDITION, words or "another operation is already in progress")
            if fault.kind == "500":
                self._json(
                    500,
                    {"error": words or "internal error", "code": 13, "message": words or "internal error"},
                )
            elif fault.kind == "429":
                wait = fault.text("retry_after", "1")
                self._send(429, "text/plain", b"Too Many Requests", {"Retry-After": wait})
            elif fault.kind in ("502", "no-stream"):
                self._send(502, "text/html", HTML_502)
            elif fault.kind == "sso-redirect":
                self._send(302, "text/html", b"", {"Location": server.login.url})
            elif fault.kind == "hang":
                server.closing.wait(fault.number("wait", 30.0))
                return False
            return True

        def _stream(self, token: Token, query: Query) -> None:
            events = self.headers.get("Accept") == "text/event-stream"
            watcher = api.store.watch()
            sent = 0
            try:
                for kind, document in api.first_events(token, query):
                    sent += self._event(events, kind, document, first=not sent)
                while not server.closing.is_set():
                    cut = api.faults.find(query.get("name", ["*"])[0], "stream-cut")
                    if cut and sent >= cut.number("events", 1):
                        break
                    try:
                        event = watcher.get(timeout=PING)
                    except queue.Empty:
                        continue
                    if event is None:
                        break
                    shown = api.visible(token, query, event)
                    if shown:
                        slow = api.faults.find(str(shown[1]["metadata"]["name"]), "slow-stream")
                        time.sleep(slow.number("delay", 2.0) if slow else 0)
                        sent += self._event(events, *shown, first=not sent)
                if sent:
                    self.wfile.write(b"0\r\n\r\n")
            except OSError:
                pass
            finally:
                self.close_connection = True
                api.store.unwatch(watcher)

        def _event(self, events: bool, kind: str, document: Json, *, first: bool) -> int:
            """Send one event. The headers go with the first, so a stream that one may not see has none."""
            if first:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream" if events else "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
            text = json.dumps({"result": {"type": kind, "application": document}})
            line = (f"data: {text}\n\n" if events else f"{text}\n").encode()
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.flush()
            return 1

        def _json(self, status: int, document: Mapping[str, object]) -> None:
            self._send(status, "application/json", json.dumps(document).encode())

        def _send(
            self, status: int, kind: str, content: bytes, headers: Mapping[str, str] | None = None
        ) -> None:
            self.send_response(status)
            for key, value in {"Content-Type": kind, **(headers or {})}.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler
