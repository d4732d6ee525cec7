"""The lab's registry keeps content, asks for passwords, refuses writes and ends with its owner."""

from __future__ import annotations

import base64
import contextlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lab.registry import PASSWORD, Registry

MANIFEST = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'


def put_index(registry: Registry, tag: str, authorization: str = "") -> int:
    request = urllib.request.Request(
        f"{registry.url}/v2/acme/shop/manifests/{tag}",
        data=MANIFEST,
        method="PUT",
        headers={"Content-Type": "application/vnd.oci.image.index.v1+json", "Authorization": authorization},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return int(answer.status)


def test_content_survives_a_restart_and_absence_differs_from_failure(tmp_path: Path) -> None:
    with Registry(tmp_path) as registry:
        assert registry.digest("acme/shop", "v1.0.0") is None
        assert registry.tags("acme/shop") == []
        assert put_index(registry, "v1.0.0") == 201
        digest = registry.digest("acme/shop", "v1.0.0")
    with Registry(tmp_path, readonly=True) as registry:
        assert digest is not None and registry.digest("acme/shop", digest) == digest
        assert registry.tags("acme/shop") == ["v1.0.0"]
        with pytest.raises(urllib.error.HTTPError, match="405"):
            put_index(registry, "v1.0.1")


def test_a_registry_with_a_password_refuses_requests_without_it(tmp_path: Path) -> None:
    with Registry(tmp_path, htpasswd=("octo-dev", PASSWORD)) as registry:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            put_index(registry, "v1.0.0")
        pair = base64.b64encode(f"octo-dev:{PASSWORD}".encode()).decode()
        assert put_index(registry, "v1.0.0", f"Basic {pair}") == 201
        assert registry.tags("acme/shop") == ["v1.0.0"]


def test_a_taken_port_is_reported_at_once(tmp_path: Path) -> None:
    with Registry(tmp_path / "first") as first:
        port = int(first.host.rpartition(":")[2])
        with (
            pytest.raises(RuntimeError, match="address already in use"),
            Registry(tmp_path / "second", port=port),
        ):
            pass


def test_the_registry_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import pathlib, sys, lab.registry as r\n"
            "with r.Registry(pathlib.Path(sys.argv[1])) as registry:\n"
            "    print(registry.host, flush=True); sys.stdin.read()",
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert owner.stdout is not None
    host, _, port = owner.stdout.readline().strip().rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as open_connection:
        owner.send_signal(signal.SIGKILL)
        owner.communicate()
        open_connection.settimeout(60)
        with contextlib.suppress(ConnectionResetError):
            assert open_connection.recv(1) == b""  # the server's end closes when the server is gone
    ends = time.monotonic() + 60
    with pytest.raises(ConnectionRefusedError):  # its sockets close one after another
        while time.monotonic() < ends:
            with contextlib.suppress(ConnectionResetError):
                socket.create_connection((host, int(port)), timeout=5).close()
