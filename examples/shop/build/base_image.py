"""What the shop's image may stand on: another image, whose layers come along."""

from __future__ import annotations

import json
from dataclasses import dataclass

from registry import LAYER, Json, Repository

DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True)
class Base:
    """What the image stands on, for one platform: its layers (descriptors) and its configuration."""

    layers: tuple[Json, ...] = ()
    config: Json | None = None


def read_base(source: Repository, reference: str, platform: str) -> Base:
    manifest = json.loads(source.manifest(reference))
    if "manifests" in manifest:
        wanted = {"os": "linux", "architecture": platform}.items()
        found = [entry for entry in manifest["manifests"] if wanted <= entry.get("platform", {}).items()]
        if not found:
            raise ValueError(f"{source.name}@{reference} has nothing for linux/{platform}")
        manifest = json.loads(source.manifest(found[0]["digest"]))
    layers = []
    for entry in manifest["layers"]:
        media_type = entry["mediaType"].replace(DOCKER_LAYER, f"{LAYER}+gzip")
        layers.append({"mediaType": media_type, "digest": entry["digest"], "size": entry["size"]})
    return Base(tuple(layers), json.loads(source.blob(manifest["config"]["digest"])))


def copy_layers(source: Repository, target: Repository, bases: dict[str, Base]) -> None:
    for digest in {entry["digest"] for base in bases.values() for entry in base.layers}:
        if not target.has_blob(digest):
            target.put_blob(source.blob(digest))
