"""A small service under test, in a separate process, which keeps its requests. Standard library only."""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VERSION = sys.argv[1] if len(sys.argv) > 1 else "1.1.0"
TOKEN = "token-" + "t" * 20
SEEN: list[dict[str, Any]] = []
TRIES: dict[str, int] = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:  # noqa: ARG002
        return

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = self.path.partition("?")[0]
        if path != "/seen":
            SEEN.append(
                {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
            )
        TRIES[path] = TRIES.get(path, 0) + 1
        answer = getattr(self, "on_" + path.strip("/").replace("-", "_"), None)
        if answer is None:
            self.reply(404, {"error": "not found"})
        else:
            answer(body)

    def reply(self, status: int, document: Any, **headers: str) -> None:
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def on_health(self, _: str) -> None:
        self.reply(200, {"status": "ok", "version": VERSION, "ok": True, "one": 1})

    def on_login(self, body: str) -> None:
        good = json.loads(body or "{}").get("password") == "hunter2-hunter2"
        self.reply(200, {"access_token": TOKEN}) if good else self.reply(401, {"error": f"bad: {body}"})

    def on_empty_login(self, _: str) -> None:
        self.reply(200, {"access_token": ""})

    def on_items(self, _: str) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.reply(401, {})
        return self.reply(200, {"items": [{"id": 1}, {"id": 2}], "echo": self.headers.get("Authorization")})

    def on_later(self, _: str) -> None:
        self.reply(200 if TRIES["/later"] > 2 else 503, {})

    def on_slow(self, _: str) -> None:
        time.sleep(0.4)
        self.reply(200, {})

    def on_drip(self, _: str) -> None:
        self.send_response(200)
        self.end_headers()
        for _each in range(100):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.1)

    def on_moved(self, _: str) -> None:
        self.reply(302, b"", Location="/health")

    def on_away(self, _: str) -> None:
        port = self.headers["Host"].rpartition(":")[2]
        self.reply(302, b"", Location=f"http://localhost:{port}/health")

    def on_huge(self, _: str) -> None:
        self.reply(200, b"x" * (5 * 1024 * 1024))

    def on_page(self, _: str) -> None:
        self.reply(200, b"<html>")

    def on_seen(self, _: str) -> None:
        self.reply(200, SEEN)

    do_GET = do_POST = do_HEAD = do_PUT = handle_any


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    sys.stdin.read()  # until the process that started it ends
