"""The stable address of an application: an HTTP forwarder to the process that is ready now."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
UPSTREAM_TIMEOUT = 60.0
Backend = Callable[
    [], AbstractContextManager[int | None]
]  # the port to use, held while a request is in flight


class Front:
    """Listens from the start to the end; each request goes to the port that `backend` returns, else 503."""

    def __init__(self, backend: Backend) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(backend))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="front").start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(backend: Backend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: ARG002
            return

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
            with backend() as port:
                if port is None:
                    self._refuse(503, "no endpoints available for service")
                    return
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=UPSTREAM_TIMEOUT)
                try:
                    upstream.request(self.command, self.path, body or None, headers)
                    answer = upstream.getresponse()
                    content = answer.read()
                except (OSError, http.client.HTTPException) as error:
                    self._refuse(502, f"upstream: {type(error).__name__}")
                    return
                finally:
                    upstream.close()
            self._answer(answer, content)

        def _answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
            self.send_response_only(answer.status, answer.reason)
            for key, value in answer.getheaders():
                if key.lower() not in HOP_BY_HOP and not (
                    key.lower() == "content-length" and self.command != "HEAD"
                ):
                    self.send_header(key, value)
            if self.command != "HEAD" and answer.status not in (204, 304):
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def _refuse(self, status: int, why: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(why)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(why.encode())

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _forward

    return Handler
