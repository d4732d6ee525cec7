"""Respond as Argo CD did while a recording was made: `play.py RECORDING [--port N] [--speed F]`.

Standard library only; listens on 127.0.0.1 and prints the address on the first line. Time begins with the first
request. It serves applications/NAME (refresh= included), its resource-tree, resource and syncwindows, and
stream/applications?name=. A request that was not recorded gets 404. `Player` is the same as a class, for tests.
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]


class Recording:
    """The lines of a recording, and the response to each request at a time (seconds)."""

    def __init__(self, path: str | Path) -> None:
        with Path(path).open(encoding="utf-8") as file:
            self.header, *lines = [json.loads(line) for line in file]
        self.events: dict[str, list[Json]] = {}
        last: dict[str, Json] = {}
        for line in lines:
            name = line.get("name", "")
            if line.get("same"):
                line["application"] = last[name]
            elif "application" in line:
                last[name] = line["application"]
            self.events.setdefault(name, []).append(line)
        self.begin = float(self.header.get("from", 0))
        self._refreshed: dict[str, str] = {}

    def _last(self, name: str, t: float, wanted: Callable[[Json], bool]) -> Json | None:
        found = [e for e in self.events.get(name, ()) if e["t"] <= t and wanted(e)]
        return found[-1] if found else next((e for e in self.events.get(name, ()) if wanted(e)), None)

    def application(self, name: str, t: float) -> tuple[int | None, Any]:
        """(status, body); status None while Argo CD did not respond."""
        look = self._last(name, t, lambda e: e["source"] in ("look", "refresh"))
        if look is None:
            return 403, {"error": "permission denied", "code": 7, "message": "permission denied"}
        if "application" not in look:
            return look.get("status"), look.get("body")
        return 200, self._moved(name, look["application"])

    def _moved(self, name: str, application: Json) -> Json:
        """The document after a refresh: with a later time of comparison, otherwise the same."""
        when, status = self._refreshed.get(name, ""), application.get("status") or {}
        if when <= status.get("reconciledAt", "~"):
            return application
        return {**application, "status": {**status, "reconciledAt": when}}

    def answered_at(self, name: str, t: float) -> float:
        """When a refresh requested at `t` returned: as recorded if one was running, else at once."""
        under_way = (
            e["t"]
            for e in self.events.get(name, ())
            if e.get("source") == "refresh" and e["asked"] <= t < e["t"]
        )
        return float(next(under_way, t + 0.3))

    def refresh(self, name: str, t: float) -> None:
        """Note that a refresh returned at `t`: documents shown from now on were compared then."""
        begin = datetime.strptime(self.header["began"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        self._refreshed[name] = (begin + timedelta(seconds=int(t))).strftime("%Y-%m-%dT%H:%M:%SZ")

    def other(self, name: str, t: float, source: str) -> Json | None:
        """The newest line of a source that has a response."""
        return self._last(name, t, lambda e: e["source"] == source and ("tree" in e or "answer" in e))


class Player:
    """`with Player(path) as player: player.url`; `speed` 2.0 plays twice as fast."""

    def __init__(self, path: str | Path, port: int = 0, speed: float = 1.0) -> None:
        self.recording, self.speed = Recording(path), speed
        self._began: float | None = None
        player = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                player._answer(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Player:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def now(self) -> float:
        """Seconds in the recording."""
        if self._began is None:
            self._began = time.monotonic()
        return self.recording.begin + (time.monotonic() - self._began) * self.speed

    def _answer(self, handler: Any) -> Any:
        split = urlsplit(handler.path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        parts = split.path.removeprefix("/api/v1/").split("/")
        if parts[:2] == ["stream", "applications"]:
            return self._stream(handler, query.get("name", ""))
        if parts[0] != "applications" or len(parts) < 2:
            return self._send(handler, 404, {"error": "not recorded", "code": 5, "message": "not recorded"})
        name = parts[1]
        if query.get("refresh"):
            back = self.recording.answered_at(name, self.now())
            time.sleep(max(0.0, (back - self.now()) / self.speed))
            if self.recording.application(name, self.now())[0] == 200:
                self.recording.refresh(name, self.now())
        t = self.now()
        status, body = self.recording.application(name, t)
        if status is None:
            handler.close_connection = True
            return handler.connection.close()
        if status != 200 or len(parts) == 2:
            return self._send(handler, status, body)
        if parts[2] in ("resource-tree", "resource"):
            seen = self.recording.other(name, t, "pods")
            if parts[2] == "resource-tree":
                return self._send(
                    handler, 200 if seen else 404, (seen or {}).get("tree", {"message": "not recorded"})
                )
            for live in (seen or {}).get("live", ()):
                if (live.get("metadata") or {}).get("name") == query.get("resourceName"):
                    return self._send(handler, 200, {"manifest": json.dumps(live)})
        if parts[2] == "syncwindows":
            seen = self.recording.other(name, t, "syncwindows")
            return self._send(handler, 200, (seen or {}).get("answer", {"canSync": True}))
        return self._send(handler, 404, {"error": "not recorded", "code": 5, "message": "not recorded"})

    def _send(self, handler: Any, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _stream(self, handler: Any, name: str) -> Any:
        t = self.now()
        if self.recording.application(name, t)[0] is None:
            handler.close_connection = True
            return handler.connection.close()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        events = [e for e in self.recording.events.get(name, ()) if e["source"] == "stream"]
        before = [e for e in events if e["t"] <= t and "application" in e][-1:]
        try:
            for event in before + [e for e in events if e["t"] > t]:
                time.sleep(max(0.0, (event["t"] - self.now()) / self.speed))
                if "ended" in event:
                    return None
                if "application" in event:
                    line = {
                        "result": {"type": event.get("type", "MODIFIED"), "application": event["application"]}
                    }
                elif "event" in event:
                    line = event["event"]
                else:
                    continue
                handler.wfile.write(json.dumps(line).encode() + b"\n")
                handler.wfile.flush()
            while True:  # nothing more happened; the real one stays silent
                time.sleep(1)
        except OSError:
            return None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recording")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--speed", type=float, default=1.0)
    given = parser.parse_args()
    with Player(given.recording, given.port, given.speed) as player:
        print(player.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
