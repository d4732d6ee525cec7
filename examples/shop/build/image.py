"""Builds the shop's image without Docker and pushes it: the same commit gives the same digest on any machine.

    python3 build/image.py --image ghcr.io/acme/shop --commit "$(git rev-parse HEAD)"

The image is an index with one manifest for each platform, pushed under one tag, `sha-<commit>`. Version tags
are given later, to the digest that was tested. Prints `digests={"<image>":"sha256:..."}` and adds it to
$GITHUB_OUTPUT. REGISTRY_USERNAME and REGISTRY_PASSWORD log in where the registry asks.

Without `--base` the image holds the app alone and expects `python3` from whatever runs it; with one (name it
by digest) the app becomes its last layer.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import tarfile
import time
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from base_image import Base, copy_layers, read_base
from registry import INDEX, LAYER, MANIFEST, Json, Repository, sha256

SHOP = Path(__file__).resolve().parent.parent
PLATFORMS = ("amd64", "arm64")
CONFIG = "application/vnd.oci.image.config.v1+json"
TRIES = 4


@dataclass(frozen=True)
class Image:
    index: bytes
    manifests: tuple[bytes, ...]
    blobs: tuple[bytes, ...]


def layer(root: Path, version: str) -> bytes:
    """app/ and VERSION as a tar: sorted, owned by root, time 0.

    Not compressed: compressors differ between machines, and so would the digest. The app is small.
    """
    files = {f"app/{path.name}": path.read_bytes() for path in (root / "app").glob("*.py")}
    files["app/VERSION"] = f"{version}\n".encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        folder = tarfile.TarInfo("app")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def encode(value: Json) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def descriptor(media_type: str, data: bytes) -> Json:
    return {"mediaType": media_type, "digest": sha256(data), "size": len(data)}


def configuration(platform: str, base: Base, app: bytes, labels: dict[str, str]) -> bytes:
    below = base.config or {}
    diff_ids = below.get("rootfs", {}).get("diff_ids", [])
    environment = below.get("config", {}).get("Env", ["PATH=/usr/local/bin:/usr/bin:/bin"])
    return encode(
        {
            "architecture": platform,
            "os": "linux",
            "config": {
                "User": "65532:65532",
                "Env": [*environment, "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"],
                "Entrypoint": ["python3", "server.py"],
                "WorkingDir": "/app",
                "ExposedPorts": {"8080/tcp": {}},
                "Labels": labels,
            },
            "rootfs": {"type": "layers", "diff_ids": [*diff_ids, sha256(app)]},
        }
    )


def assemble(app: bytes, labels: dict[str, str], bases: dict[str, Base]) -> Image:
    """Pure: the same layer, labels and bases give the same bytes. The platforms share the app's layer."""
    manifests, entries, blobs = [], [], [app]
    for platform in PLATFORMS:
        base = bases[platform]
        config = configuration(platform, base, app, labels)
        manifest = encode(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": descriptor(CONFIG, config),
                "layers": [*base.layers, descriptor(LAYER, app)],
            }
        )
        blobs.append(config)
        manifests.append(manifest)
        place = {"platform": {"os": "linux", "architecture": platform}}
        entries.append(descriptor(MANIFEST, manifest) | place)
    index = encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries, "annotations": labels})
    return Image(index, tuple(manifests), tuple(blobs))


def push(target: Repository, image: Image, tag: str) -> str:
    """Pushes what is missing, the tag last; returns the digest. ValueError when the tag names another."""
    digest, there = sha256(image.index), target.digest(tag)
    if there == digest:
        return digest
    if there is not None:
        raise ValueError(
            f"{target.name}:{tag} is already {there}, this build is {digest}; one commit is one image: "
            "build from a clean checkout, and name --base by digest"
        )
    for blob in image.blobs:
        if not target.has_blob(sha256(blob)):
            target.put_blob(blob)
    for manifest in image.manifests:
        target.put_manifest(sha256(manifest), manifest)
    target.put_manifest(tag, image.index)
    return digest


def build_and_push(options: argparse.Namespace, target: Repository) -> str:
    version = (options.context / "VERSION").read_text(encoding="utf-8").strip()
    labels = {
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": options.commit,
        "org.opencontainers.image.source": options.source,
    }
    bases = dict.fromkeys(PLATFORMS, Base())
    if options.base:
        name, separator, reference = options.base.partition("@")
        if not separator:
            name, _, reference = options.base.rpartition(":")
        known = name.startswith(f"{target.host}/")  # credentials stay with the registry they were given for
        source = Repository(name, target.username, target.password) if known else Repository(name)
        bases = {platform: read_base(source, reference, platform) for platform in PLATFORMS}
        copy_layers(source, target, bases)
    return push(target, assemble(layer(options.context, version), labels, bases), f"sha-{options.commit}")


def waits() -> Iterator[float]:
    """Seconds before each try: registries answer 502 and 503 now and then, and a push is safe to repeat."""
    yield 0
    for number in range(TRIES - 1):
        yield 2.0**number


def run(options: argparse.Namespace, target: Repository) -> str:
    problem: Exception | None = None
    for seconds in waits():
        if problem is not None:
            print(f"{problem}; again in {seconds:.0f} s", file=sys.stderr)
            time.sleep(seconds)
        try:
            return build_and_push(options, target)
        except urllib.error.HTTPError as error:
            if error.code < 500:
                address = error.url.partition("?")[0]
                raise ValueError(f"{address} answers {error.code} {error.reason}") from error
            problem = error
        except OSError as error:  # connection refused, reset, timed out
            problem = error
    raise ValueError(f"{target.host} did not take the image in {TRIES} tries, last: {problem}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    option = parser.add_argument
    option("--image", default=env.get("IMAGE", "ghcr.io/acme/shop"), help="repository, without a tag")
    option("--commit", default=env.get("GITHUB_SHA", ""), help="full SHA of what is built")
    option("--base", default=env.get("BASE_IMAGE", ""), help="name@sha256:... with python3, or none")
    option("--context", type=Path, default=SHOP, help="folder with app/ and VERSION")
    option("--source", default="https://github.com/acme/shop", help="address of the source code")
    options = parser.parse_args(arguments)
    if not re.fullmatch(r"[0-9a-f]{40}", options.commit):
        parser.error("--commit wants the 40 hexadecimal digits of a commit")
    if not re.fullmatch(r"[\w.-]+(:\d+)?(/[a-z0-9._-]+)+", options.image):
        parser.error("--image wants a repository without a tag, like ghcr.io/acme/shop")
    return options


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    username = os.environ.get("REGISTRY_USERNAME", "")
    target = Repository(options.image, username, os.environ.get("REGISTRY_PASSWORD", ""))
    try:
        digest = run(options, target)
    except (ValueError, OSError) as error:
        print(f"::error title=image not pushed::{error}", file=sys.stderr)
        return 1
    line = f"digests={json.dumps({options.image: digest}, separators=(',', ':'))}"
    print(line)
    if output := os.environ.get("GITHUB_OUTPUT"):
        with Path(output).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
