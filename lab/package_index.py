"""A Python package index on 127.0.0.1 with wheels made here, whose downloads can be delayed."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import zipfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple


class Wheel(NamedTuple):
    """A wheel's file name and bytes."""

    filename: str
    content: bytes

    @property
    def name(self) -> str:
        """The package's name, as an index spells it."""
        return self.filename.split("-")[0].replace("_", "-")

    @property
    def requirement(self) -> str:
        """The line of a lock that admits these bytes only."""
        version = self.filename.split("-")[1]
        return f"{self.name}=={version} \\\n    --hash=sha256:{hashlib.sha256(self.content).hexdigest()}\n"


def wheel(name: str, version: str, files: Mapping[str, str]) -> Wheel:
    """A pure wheel of `files`, paths with their text; `<name>-<version>.data/scripts/x` is a program."""
    info = f"{name}-{version}.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: lab\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={_record_hash(text)},{len(text.encode())}\n" for path, text in contents.items()
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in {**contents, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
    return Wheel(f"{name}-{version}-py3-none-any.whl", buffer.getvalue())


class PackageIndex:
    """`with PackageIndex(wheel, ...) as index:` serves them at `index.url` until the block ends.

    `hold(n)` lets the next downloads wait until n of them have been asked for and `release()` is called;
    `wait_until_asked()` returns when the n are there. `downloads` counts, `broken` makes every answer a 500.
    """

    def __init__(self, *wheels: Wheel) -> None:
        self.downloads = 0
        self.broken = False
        self._wheels = {wheel.filename: wheel for wheel in wheels}
        self._changed = threading.Condition()
        self._awaited = 0
        self._open = threading.Event()
        self._open.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/simple/"

    def __enter__(self) -> PackageIndex:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def hold(self, downloads: int = 1) -> None:
        """Delay all downloads from now on; `wait_until_asked` waits for so many of them."""
        self._awaited = self.downloads + downloads
        self._open.clear()

    def wait_until_asked(self, seconds: float = 60) -> None:
        """Return when the downloads named in `hold` have been asked for; AssertionError when they are not."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.downloads >= self._awaited, seconds):
                raise AssertionError(f"{self.downloads} of {self._awaited} downloads after {seconds} s")

    def release(self) -> None:
        """Serve all delayed downloads."""
        self._open.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                folder, _, filename = self.path.rstrip("/").rpartition("/")
                if index.broken:
                    self._answer(500, b"broken")
                elif folder == "/simple":
                    files = [wheel for wheel in index._wheels.values() if wheel.name == filename]
                    links = "".join(
                        f'<a href="/files/{wheel.filename}">{wheel.filename}</a>' for wheel in files
                    )
                    self._answer(
                        200 if files else 404, f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
                    )
                elif filename in index._wheels:
                    with index._changed:
                        index.downloads += 1
                        index._changed.notify_all()
                    index._open.wait()
                    self._answer(200, index._wheels[filename].content)
                else:
                    self._answer(404, b"absent")

            def do_HEAD(self) -> None:
                self._answer(405, b"")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header(
                    "Content-Type", "text/html" if self.path.startswith("/simple") else "application/zip"
                )
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        return Handler


def _record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
