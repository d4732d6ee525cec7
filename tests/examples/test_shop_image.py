"""The shop's image: pushed, pulled by digest, unpacked and run, and its service responds."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lab.registry import MANIFESTS, PASSWORD, Registry

SHOP = Path(__file__).parents[2] / "examples/shop"
COMMIT = "1234567890abcdef1234567890abcdef12345678"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry(tmp_path / "registry") as registry:
        yield registry


def build(
    image: str, *arguments: str, context: Path = SHOP, commit: str = COMMIT, **env: str
) -> subprocess.CompletedProcess[str]:
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, str(context / "build/image.py"), "--image", image, "--commit", commit, *arguments],
        env=clean | {"PYTHONDONTWRITEBYTECODE": "1"} | env,
        capture_output=True,
        text=True,
        timeout=60,
    )


def digest_of(built: subprocess.CompletedProcess[str], image: str) -> str:
    assert built.returncode == 0, built.stderr
    name, _, value = built.stdout.strip().partition("=")
    digests = json.loads(value)
    assert (name, list(digests)) == ("digests", [image])
    return str(digests[image])


def fetch(registry: Registry, path: str) -> bytes:
    request = urllib.request.Request(f"{registry.url}/v2/acme/shop/{path}", headers={"Accept": MANIFESTS})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return bytes(answer.read())


def fetch_json(registry: Registry, path: str) -> Any:
    return json.loads(fetch(registry, path))


def unpack(registry: Registry, digest: str, root: Path) -> dict[str, Any]:
    """Unpack the image of linux/amd64; its configuration."""
    index = fetch_json(registry, f"manifests/{digest}")
    amd64 = next(m for m in index["manifests"] if m["platform"] == {"os": "linux", "architecture": "amd64"})
    manifest = fetch_json(registry, f"manifests/{amd64['digest']}")
    for layer in manifest["layers"]:
        data = fetch(registry, f"blobs/{layer['digest']}")
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar.getmembers():
                assert (member.mtime, member.uid, member.gid) == (0, 0, 0)
            tar.extractall(root)  # noqa: S202 - built a moment ago, by us
    config = fetch_json(registry, f"blobs/{manifest['config']['digest']}")
    assert isinstance(config, dict)
    return config


@contextmanager
def running(config: dict[str, Any], root: Path) -> Iterator[str]:
    env = dict(pair.split("=", 1) for pair in config["Env"])
    process = subprocess.Popen(
        config["Entrypoint"],
        cwd=root / config["WorkingDir"].lstrip("/"),
        env=env
        | {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": "0"}
        | {"SHOP_USER": "octo-dev", "SHOP_PASSWORD": "change-me"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        started = re.search(r"on port (\d+)", process.stdout.readline())
        assert started
        yield f"http://127.0.0.1:{started[1]}"
    finally:
        process.terminate()
        assert process.wait(10) == 0


def ask(url: str, body: object = None, token: str = "") -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=5) as answer:
        return json.load(answer)


def test_the_pushed_image_runs_and_reports_its_version(registry: Registry, tmp_path: Path) -> None:
    image = f"{registry.host}/acme/shop"
    output = tmp_path / "output"
    digest = digest_of(build(image, GITHUB_OUTPUT=str(output)), image)
    assert output.read_text() == f'digests={{"{image}":"{digest}"}}\n'
    assert registry.tags("acme/shop") == [f"sha-{COMMIT}"]
    assert registry.digest("acme/shop", f"sha-{COMMIT}") == digest

    root = tmp_path / "root"
    config = unpack(registry, digest, root)["config"]
    version = (SHOP / "VERSION").read_text().strip()
    assert config["Labels"] == {
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": COMMIT,
        "org.opencontainers.image.source": "https://github.com/acme/shop",
    }
    with running(config, root) as url:
        assert ask(f"{url}/health") == {"status": "ok", "version": version}
        token = ask(f"{url}/auth/login", {"user": "octo-dev", "password": "change-me"})["access_token"]
        assert len(ask(f"{url}/api/query", {"query": "*", "limit": 1}, token)["items"]) == 1
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(f"{url}/api/products")


def test_both_platforms_share_the_layer(registry: Registry) -> None:
    image = f"{registry.host}/acme/shop"
    index = fetch_json(registry, f"manifests/{digest_of(build(image), image)}")
    manifests = [fetch_json(registry, f"manifests/{entry['digest']}") for entry in index["manifests"]]
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == ["amd64", "arm64"]
    assert manifests[0]["layers"] == manifests[1]["layers"]
    assert manifests[0]["config"]["digest"] != manifests[1]["config"]["digest"]


def test_the_digest_of_a_commit_does_not_depend_on_where_it_is_built(
    registry: Registry, tmp_path: Path
) -> None:
    image = f"{registry.host}/acme/shop"
    copy = tmp_path / "elsewhere"
    shutil.copytree(SHOP, copy, copy_function=shutil.copy)  # other place, other times
    (copy / "app/server.py").chmod(0o600)
    assert digest_of(build(image, context=copy), image) == digest_of(build(image), image)


def test_other_content_under_a_used_commit_is_refused(registry: Registry, tmp_path: Path) -> None:
    image = f"{registry.host}/acme/shop"
    first = digest_of(build(image), image)
    copy = shutil.copytree(SHOP, tmp_path / "changed")
    (copy / "app/catalogue.py").write_text("PRODUCTS = ()\n")
    refused = build(image, context=copy)
    assert refused.returncode == 1
    assert first in refused.stderr and "build from a clean checkout" in refused.stderr
    assert registry.digest("acme/shop", f"sha-{COMMIT}") == first


def test_the_right_password_logs_in_and_a_wrong_one_is_reported(tmp_path: Path) -> None:
    with Registry(tmp_path, htpasswd=("octo-dev", PASSWORD)) as registry:
        image = f"{registry.host}/acme/shop"
        wrong = build(image, REGISTRY_USERNAME="octo-dev", REGISTRY_PASSWORD="wrong-password")
        assert wrong.returncode == 1 and "401" in wrong.stderr and "wrong-password" not in wrong.stderr
        digest_of(build(image, REGISTRY_USERNAME="octo-dev", REGISTRY_PASSWORD=PASSWORD), image)


def test_the_layers_of_a_base_image_are_pushed_too(registry: Registry) -> None:
    """The base is another repository's image; here that of an older commit of the shop."""
    base, image = f"{registry.host}/acme/base", f"{registry.host}/acme/shop"
    below = digest_of(build(base, commit="0" * 40), base)
    digest = digest_of(build(image, "--base", f"{base}@{below}"), image)
    index = fetch_json(registry, f"manifests/{digest}")
    for entry in index["manifests"]:
        manifest = fetch_json(registry, f"manifests/{entry['digest']}")
        config = fetch_json(registry, f"blobs/{manifest['config']['digest']}")
        contents = [fetch(registry, f"blobs/{layer['digest']}") for layer in manifest["layers"]]
        assert len(contents) == 2
        assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(c).hexdigest()}" for c in contents]


class Unwell(BaseHTTPRequestHandler):
    """A proxy of a registry that returns 503 for the first request that would store a manifest."""

    upstream: ClassVar[str]
    refused: ClassVar[list[str]]

    def forward(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command == "PUT" and "/manifests/" in self.path and not self.refused:
            self.refused.append(self.path)
            self.send_error(503)
            return
        request = urllib.request.Request(
            self.upstream + self.path, data or None, dict(self.headers), method=self.command
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                self.reply(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            self.reply(error.code, error.headers, error.read())

    def reply(self, status: int, headers: Any, data: bytes) -> None:
        self.send_response(status)
        for name in ("Content-Type", "Location", "Docker-Content-Digest"):
            if name in headers:
                self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = forward

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_push_is_repeated_after_one_error_of_the_registry(registry: Registry) -> None:
    class Front(Unwell):
        upstream = registry.url
        refused: ClassVar[list[str]] = []

    with ThreadingHTTPServer(("127.0.0.1", 0), Front) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            image = f"127.0.0.1:{server.server_port}/acme/shop"
            digest = digest_of(build(image), image)
        finally:
            server.shutdown()
            thread.join()
    assert len(Front.refused) == 1
    assert registry.digest("acme/shop", f"sha-{COMMIT}") == digest


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--commit", "main"), "40 hexadecimal"), (("--image", "ghcr.io/acme/shop:v1"), "without a tag")],
)
def test_bad_arguments_are_reported(arguments: tuple[str, ...], told: str) -> None:
    refused = build("ghcr.io/acme/shop", *arguments)
    assert refused.returncode == 2 and told in refused.stderr
