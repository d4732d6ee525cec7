"""Pulls an image and unpacks its layers into a folder from which a process can run."""

from __future__ import annotations

import gzip
import io
import json
import platform
import shutil
import tarfile
import threading
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lab.argocd import archives
from lab.argocd.faults import Faults
from lab.argocd.oci import CannotFetch, Manifest, Registries, parse_reference
from lab.media_types import INDEX_TYPES

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Image:
    """An unpacked image. `digest` is the requested one (perhaps of an index), `platform_digest` the running one."""

    reference: str
    repository: str
    digest: str
    platform_digest: str
    root: Path
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    workdir: str


def machine() -> str:
    """This machine's architecture in OCI's words."""
    name = platform.machine().lower()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(name, name)


def fetch(registries: Registries, reference: str, store: Path) -> Image:
    """Pull `reference` unless its platform manifest is in `store` already. CannotFetch with the reason."""
    parsed = parse_reference(reference)
    named = registries.manifest(parsed.repository, parsed.revision)
    manifest = _for_this_machine(registries, parsed.repository, named)
    if "config" not in manifest.document:
        raise CannotFetch(f"{reference}: {manifest.media_type} is not an image manifest")
    folder = store / manifest.digest.removeprefix("sha256:")
    with _one_at_a_time:
        if not (folder / "config.json").exists():
            _unpack_all(registries, parsed.repository, manifest, folder)
    config = _read_config(folder)
    return Image(
        reference=reference,
        repository=parsed.repository,
        digest=named.digest,
        platform_digest=manifest.digest,
        root=folder / "root",
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        env=tuple((k, v) for k, _, v in (item.partition("=") for item in config.get("Env") or ())),
        workdir=config.get("WorkingDir") or "/",
    )


class PodImages:
    """Images for pods; the fault `wrong-image` gives one other content under the same name."""

    def __init__(self, registries: Registries, folder: Path, faults: Faults) -> None:
        self._registries, self._folder, self._faults = registries, folder, faults
        self._ran: dict[tuple[str, str], Image] = {}  # application, repository -> the image that ran last

    def fetch(self, application: str, reference: str) -> Image:
        """The image that a pod of this application runs for `reference`."""
        repository = parse_reference(reference).repository
        fault = self._faults.find(application, "wrong-image")
        before = self._ran.get((application, repository))
        if fault and fault.options.get("digest"):
            return fetch(self._registries, f"{repository}@{fault.options['digest']}", self._folder)
        if fault and before is not None:
            return before
        image = fetch(self._registries, reference, self._folder)
        self._ran[application, repository] = image
        return image


def _for_this_machine(registries: Registries, repository: str, named: Manifest) -> Manifest:
    if named.media_type not in INDEX_TYPES and "manifests" not in named.document:
        return named
    for child in named.document.get("manifests") or ():
        platform = child.get("platform") or {}
        if platform.get("os", "linux") == "linux" and platform.get("architecture", machine()) == machine():
            return registries.manifest(repository, child["digest"])
    raise CannotFetch(f"{repository}: no match for platform linux/{machine()} in manifest: not found")


def _read_config(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    return document.get("config") or {}


def _unpack_all(registries: Registries, repository: str, manifest: Manifest, folder: Path) -> None:
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "root").mkdir(parents=True)
    for layer in manifest.document.get("layers") or ():
        blob = registries.blob(repository, layer["digest"], part / "layer")
        unpack_layer(blob, part / "root")
        blob.unlink()
    registries.blob(repository, manifest.document["config"]["digest"], part / "config.json")
    part.rename(folder)


def unpack_layer(blob: Path, root: Path) -> None:
    """Apply one layer to `root`: whiteouts delete, writes outside are refused, devices are left out."""
    content = blob.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if name.name == ".wh..wh..opq":
                _empty(root, name.parent)
            elif name.name.startswith(".wh."):
                _remove(root, name.parent / name.name.removeprefix(".wh."))
            else:
                try:
                    archives.extract(archive, member, root)
                except archives.Unsafe:
                    continue  # absolute links and devices of a distribution: nothing here needs them


def _inside(root: Path, name: PurePosixPath) -> Path | None:
    target = root.joinpath(*(part for part in name.parts if part not in ("/", ".")))
    home = root.resolve()
    return target if home in target.parent.resolve().joinpath(target.name).parents else None


def _remove(root: Path, name: PurePosixPath) -> None:
    target = _inside(root, name)
    if target is None:
        return
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _empty(root: Path, name: PurePosixPath) -> None:
    target = _inside(root, name)
    for child in target.iterdir() if target and target.is_dir() else ():
        _remove(root, name / child.name)
