"""A chart that is in a registry: its archive, checked all the way down, and the release record it carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stagegate.chart import package, source
from stagegate.clients import registry
from stagegate.clients.registry import Reference, Registry
from stagegate.errors import Stop
from stagegate.evidence import release_record as record
from stagegate.evidence.release_record import Record


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A published chart by its manifest's digest; `record` is None where nobody wrote one."""

    reference: str
    digest: str
    name: str
    version: str
    metadata: Mapping[str, Any]
    archive: bytes
    content: str
    record: Record | None


def reference(chart: str, version: str) -> Reference:
    """`oci://host/path/name` and a version as the reference under which Helm keeps it."""
    return registry.parse(chart).tagged(registry.chart_tag(version))


def fetch(client: Registry, target: str | Reference) -> Published | None:
    """The chart at a tag or digest, or None when the registry says there is none.

    Stop(unknown-state) for an artifact that is no chart, or one whose parts do not match their digests.
    """
    place = registry.parse(target) if isinstance(target, str) else target
    manifest = client.manifest(place)
    if manifest is None:
        return None
    layers = manifest.document.get("layers") or []
    chart_layers = [layer for layer in layers if layer.get("mediaType") == package.LAYER_TYPE]
    if len(chart_layers) != 1:
        raise Stop(
            "unknown-state",
            f"{place} is not a Helm chart.",
            f"Its manifest has {len(chart_layers)} chart layers.",
            "Check the reference; another kind of artifact stands there.",
        )
    archive = client.blob(place, str(chart_layers[0]["digest"]))
    found = package.unpack(archive, str(place))
    files = [path for path in found if path.count("/") == 1 and path.endswith(f"/{source.FILE}")]
    if len(files) != 1:
        raise Stop(
            "unknown-state",
            f"{place} holds no chart.",
            f"Its archive has {len(files)} {source.FILE} where one belongs.",
            "Publish a new version with helm-publish.",
        )
    metadata = source.parse(found[files[0]], f"{place}: {files[0]}")
    return Published(
        reference=place.name,
        digest=manifest.digest,
        name=str(metadata.get("name", "")),
        version=str(metadata.get("version", "")),
        metadata=metadata,
        archive=archive,
        content=package.content(archive, str(place)),
        record=record.from_annotations(metadata.get("annotations") or {}, str(place)),
    )
