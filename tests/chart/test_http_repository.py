"""Charts from an HTTP repository made by `helm package` and `helm repo index`."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stagegate.chart import package, published
from stagegate.errors import Stop

CHART = "apiVersion: v2\nname: cache\nversion: 1.4.2\n"


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a line for each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with one chart in one version."""
    chart = tmp_path / "cache"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(CHART)
    (chart / "templates" / "note.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: note}\n"
    )
    site = tmp_path / "site"
    site.mkdir()
    helm(tmp_path, "package", "cache", "--destination", "site")
    return site


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """Where the repository is served, without an index yet."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def helm(folder: Path, *arguments: str) -> None:
    subprocess.run(["helm", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("version", ["1.4.2", "v1.4.2"])
def test_a_version_is_fetched(folder: Path, address: str, version: str) -> None:
    helm(folder, "repo", "index", ".")
    archive = published.from_index(address, "cache", version)
    assert archive is not None
    assert package.unpack(archive, "cache")["cache/Chart.yaml"].decode().split() == CHART.split()


def test_a_missing_chart_or_version_gives_nothing(folder: Path, address: str) -> None:
    helm(folder, "repo", "index", ".")
    assert published.from_index(address, "cache", "1.4.3") is None
    assert published.from_index(address, "other", "1.4.2") is None


def test_an_archive_with_another_digest_than_the_index_is_refused(folder: Path, address: str) -> None:
    helm(folder, "repo", "index", ".")
    archive = folder / "cache-1.4.2.tgz"
    archive.write_bytes(archive.read_bytes() + b"\0")
    with pytest.raises(Stop) as stopped:
        published.from_index(address, "cache", "1.4.2")
    assert stopped.value.reason == "unknown-state"


def test_a_host_outside_the_settings_gets_no_request(folder: Path, address: str) -> None:
    elsewhere = address.replace("127.0.0.1", "localhost")
    helm(folder, "repo", "index", ".", "--url", elsewhere)
    with pytest.raises(Stop) as stopped:
        published.from_index(address, "cache", "1.4.2")
    host = published.host(elsewhere)
    assert (stopped.value.reason, host in stopped.value.next) == ("wrong-source", True)
    assert published.from_index(address, "cache", "1.4.2", [host])


def test_a_repository_without_index_is_unreachable(address: str) -> None:
    with pytest.raises(Stop) as stopped:
        published.from_index(address, "cache", "1.4.2")
    assert stopped.value.reason == "unreachable"
