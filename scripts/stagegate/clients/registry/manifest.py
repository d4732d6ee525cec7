"""Manifests and indexes of a registry."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from stagegate.model import digest_of
from stagegate.model.media_types import CHART_LAYER, INDEX_TYPES, MANIFEST_TYPES

ACCEPT = ", ".join(INDEX_TYPES + MANIFEST_TYPES)  # without it some registries return 404 for what exists


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest or index, byte for byte: its digest is that of `raw`."""

    media_type: str
    raw: bytes

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of the bytes."""
        return digest_of(self.raw)

    @property
    def document(self) -> dict[str, Any]:
        """The parsed JSON."""
        parsed: dict[str, Any] = json.loads(self.raw)
        return parsed

    @property
    def is_index(self) -> bool:
        """True for a list of manifests (several platforms, or one with its attestation)."""
        return self.media_type in INDEX_TYPES

    @property
    def chart_layers(self) -> tuple[str, ...]:
        """Digests of the layers that hold a chart's archive: one in a chart, none in anything else."""
        layers = self.document.get("layers") or []
        return tuple(str(layer["digest"]) for layer in layers if layer.get("mediaType") == CHART_LAYER)
