"""The processor time of reading Argo CD's stream, which grows in proportion to the size of the documents."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.table import Row, side_by_side
from stagegate.clients.argocd import ArgoCD

SIZE, PARTS, TIMES = 1_000_000, 10, 5
GOAL = 0.1  # seconds of CPU for a document of a megabyte


def rows(folder: Path) -> Iterator[Row]:  # noqa: ARG001  the same for every part
    """One large event beside parsing it alone, and beside the same bytes in ten events."""
    line = event(SIZE)
    parsing, whole, parts = side_by_side(
        TIMES,
        partial(json.loads, line),
        partial(read, [line]),
        partial(read, [event(SIZE // PARTS)] * PARTS),
        clock=worked,
    )
    yield Row(
        "stream, one document of 1 MB", f"{whole * 1000:.0f} ms CPU", f"`json.loads` {parsing * 1000:.0f} ms",
        whole / parsing, "100 ms", whole < GOAL,
    )  # fmt: skip
    yield Row(
        "the same beside ten of 100 kB", f"{whole * 1000:.0f} ms CPU", f"{parts * 1000:.0f} ms",
        whole / parts, "linear: about 1", whole / parts < 2,
    )  # fmt: skip


def worked(call: Callable[[], object]) -> float:
    """Seconds of processor time of this process."""
    began = time.process_time()
    call()
    return time.process_time() - began


def event(size: int) -> bytes:
    """A line of the stream with an Application of about this size, as `managedFields` make it."""
    fields: dict[str, object] = {f"f:field-{number}": {"f:value": {}} for number in range(size // 34)}
    metadata = {"name": "shop", "managedFields": [{"manager": "argocd", "fieldsV1": fields}]}
    document = {"metadata": metadata, "spec": {}, "status": {}}
    return json.dumps({"result": {"type": "MODIFIED", "application": document}}).encode() + b"\n"


def read(lines: list[bytes]) -> None:
    """Serve these lines as a stream and read all of them."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in lines:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: ARG002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        source = ArgoCD(f"http://127.0.0.1:{server.server_address[1]}", "token")
        found = sum(1 for _ in source.watch("shop"))
        source.close()
    finally:
        server.shutdown()
        server.server_close()
    if found != len(lines):
        raise RuntimeError(f"{found} of {len(lines)} events were read")
