"""A small API server: it shows its objects to clients with its token, in pages, over HTTP or TLS."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
TOKEN = "a-token-of-the-cluster"  # noqa: S105  of this stand-in alone
_LISTS = {
    "pods": "Pod",
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "jobs": "Job",
    "cronjobs": "CronJob",
}


class ApiServer:
    """Use as a context manager. `objects` are shown by path, such as /api/v1/namespaces/shop/pods/shop-1.

    `answer` in place of all objects is a status and a body; `page` is how many objects one answer lists.
    """

    def __init__(self, *, token: str = TOKEN, tls: SSLContext | None = None, page: int = 2) -> None:
        self.token, self.page = token, page
        self.objects: dict[str, Json] = {}
        self.answer: tuple[int, Any] | None = None
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Print nothing."""

            def do_GET(self) -> None:
                server.asked.append(self.path)
                status, body = server.respond(self.path, self.headers.get("Authorization", ""))
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        port = self._server.server_address[1]
        self.url = f"https://localhost:{port}" if tls is not None else f"http://127.0.0.1:{port}"

    def __enter__(self) -> ApiServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, path: str, body: Json) -> None:
        """Show an object below a list's path."""
        self.objects[f"{path}/{body['metadata']['name']}"] = body

    def respond(self, path: str, authorization: str) -> tuple[int, Any]:
        """Status and body for a path with its query."""
        if authorization != f"Bearer {self.token}":
            return _status(401, "Unauthorized")
        if self.answer is not None:
            return self.answer
        split = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        if split.path in self.objects:
            return 200, self.objects[split.path]
        kind = _LISTS.get(split.path.rpartition("/")[2])
        if kind is None:
            name = split.path.rpartition("/")[2]
            return _status(404, f"{name} not found")
        listed = [body for place, body in self.objects.items() if place.rpartition("/")[0] == split.path]
        listed = [body for body in listed if _selected(query.get("labelSelector", ""), body)]
        begin = int(query.get("continue") or 0)
        end = min(begin + self.page, begin + int(query.get("limit") or self.page))
        more = {"continue": str(end)} if end < len(listed) else {}
        return 200, {"kind": f"{kind}List", "metadata": more, "items": listed[begin:end]}


def _status(code: int, message: str) -> tuple[int, Json]:
    return code, {"kind": "Status", "status": "Failure", "message": message, "code": code}


def _selected(selector: str, body: Mapping[str, Any]) -> bool:
    labels = (body.get("metadata") or {}).get("labels") or {}
    requirements = (part.partition("=") for part in selector.split(",") if part)
    return all(labels.get(key) == value for key, _, value in requirements)
