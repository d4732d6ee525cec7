"""The folder that the demo writes: pages for people that need no network, and an index."""

from __future__ import annotations

import html
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lab import github_page


class Pages:
    """Pages by file name, in the order in which they were written; `write_index` makes index.html."""

    def __init__(self) -> None:
        folder = os.environ.get("OUT", "")
        self.folder = Path(folder).resolve() if folder else Path(tempfile.mkdtemp(prefix="stagegate-show-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._entries: dict[str, tuple[str, str]] = {}

    def markdown(self, name: str, title: str, about: str, text: str, head: str = "") -> None:
        """A Markdown text as GitHub would show it."""
        body = github_page.box(head, text) if head else github_page.rendered(text)
        self._write(name, title, about, github_page.page(title, f"<h1>{html.escape(title)}</h1>", body))

    def pull(self, name: str, title: str, about: str, pull: dict[str, Any]) -> None:
        """A pull request with title, state, branches and body."""
        heading = f"<h1>{html.escape(str(pull['title']))} <span>#{pull['number']}</span></h1>"
        state = "Merged" if pull.get("merged_at") else "Open" if pull["state"] == "open" else "Closed"
        author = html.escape(str(pull["user"]["login"]))
        base, head = (f"<code>{html.escape(pull[end]['ref'])}</code>" for end in ("base", "head"))
        wants = f'<span class="soft">{author} wants to merge into {base} from {head}</span>'
        line = f'<p><span class="state">{state}</span> {wants}</p>'
        body = github_page.box(f"{author} opened this", str(pull["body"]))
        self._write(name, title, about, github_page.page(str(pull["title"]), heading, line, body))

    def document(self, name: str, title: str, about: str, value: object) -> None:
        """A JSON document, indented."""
        self._write(name, title, about, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def file(self, name: str, title: str, about: str, source: Path) -> None:
        """A file that a step wrote, as it is."""
        if source.is_file():
            shutil.copy(source, self.folder / name)
            self._entries[name] = (title, about)

    def write_index(self, heading: str, table: str) -> Path:
        """index.html with a line for each page and the closing table; its path."""
        items = "".join(
            f'<li><a href="{name}">{html.escape(title)}</a><br><span class="soft">{html.escape(about)}</span></li>'
            for name, (title, about) in self._entries.items()
        )
        shown = (
            f"<h1>{html.escape(heading)}</h1>",
            f'<ul class="index">{items}</ul>',
            f"<pre>{html.escape(table)}</pre>",
        )
        index = self.folder / "index.html"
        index.write_text(github_page.page(heading, *shown), encoding="utf-8")
        return index

    def _write(self, name: str, title: str, about: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")
        self._entries[name] = (title, about)

    @contextmanager
    def served(self, argocd: Callable[[], str]) -> Iterator[str]:
        """The loopback address of the folder while the block runs; `/argocd` shows what `argocd` returns."""
        with ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(_Handler, argocd, directory=str(self.folder))
        ) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()


class _Handler(SimpleHTTPRequestHandler):
    """Files of the folder, and the view of Argo CD."""

    def __init__(self, argocd: Callable[[], str], *arguments: Any, **named: Any) -> None:
        self._argocd = argocd
        super().__init__(*arguments, **named)

    def do_GET(self) -> None:
        if self.path != "/argocd":
            super().do_GET()
            return
        body = self._argocd().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing, because the demo prints its own lines."""


def argocd_view(applications: list[dict[str, Any]]) -> str:
    """The Applications as a page: sync, health, what they deploy."""
    rows = ["| Application | sync | health | revision | images |", "|---|---|---|---|---|"]
    for application in applications:
        sync, status = application["status"]["sync"], application["status"]
        revisions = sync.get("revision") or ", ".join(sync.get("revisions", ()))
        images = ", ".join(status.get("summary", {}).get("images", ()))
        name, health = application["metadata"]["name"], status["health"]["status"]
        rows.append(f"| {name} | {sync['status']} | {health} | {revisions} | {images} |")
    return github_page.page(
        "Argo CD", "<h1>Applications in Argo CD</h1>", github_page.rendered("\n".join(rows))
    )
