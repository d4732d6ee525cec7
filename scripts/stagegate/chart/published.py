"""Fetches a published chart: its archive, checked by digest, and the release record in it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.chart import package, source
from stagegate.clients import http, registry
from stagegate.clients.registry import Reference, Registry
from stagegate.errors import Stop
from stagegate.evidence import release_record as record
from stagegate.evidence.release_record import Record

if TYPE_CHECKING:
    import requests


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A published chart. `digest` is that of its manifest, `record` its release record (None: none)."""

    reference: str
    digest: str
    name: str
    version: str
    metadata: Mapping[str, Any]
    archive: bytes
    content: str
    record: Record | None


def reference(chart: str, version: str) -> Reference:
    """The reference that Helm uses for `oci://host/path/name` and a version."""
    return registry.parse(chart).tagged(registry.chart_tag(version))


def fetch(client: Registry, target: str | Reference) -> Published | None:
    """The chart at a tag or digest, or None when the registry does not have it.

    Stop(unknown-state) for an artifact that is not a chart, or whose parts do not match their digests.
    """
    place = registry.parse(target) if isinstance(target, str) else target
    manifest = client.manifest(place)
    if manifest is None:
        return None
    if len(manifest.chart_layers) != 1:
        raise Stop(
            "unknown-state",
            f"{place} is not a Helm chart.",
            f"A Helm chart has one chart layer, but the manifest has {len(manifest.chart_layers)}.",
            "Check the reference, because it names an artifact of a different kind.",
        )
    archive = client.blob(place, manifest.chart_layers[0])
    contents = package.unpack(archive, str(place))
    files = [path for path in contents if path.count("/") == 1 and path.endswith(f"/{source.FILE}")]
    if len(files) != 1:
        raise Stop(
            "unknown-state",
            f"{place} does not contain a chart.",
            f"The archive contains {len(files)} {source.FILE}, but a chart has exactly one.",
            "Publish a new version with helm-publish.",
        )
    metadata = source.parse(contents[files[0]], f"{place}: {files[0]}")
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


def host(address: str) -> str:
    """The host of a registry or chart repository, with its port."""
    return address.split("://", 1)[-1].partition("/")[0].lower()


def from_index(repository: str, name: str, version: str, hosts: Collection[str] = ()) -> bytes | None:
    """A chart's archive from an HTTP chart repository, checked by the digest in its index.

    None without this version. The archive must be on the repository's own host or on one of `hosts`.
    Stop(unreachable|wrong-source| unknown-state).
    """
    place, session = host(repository), http.session()
    base = repository.rstrip("/") + "/"
    index = _get(session, urljoin(base, "index.yaml"), place)
    try:
        entries = yaml_1_1.load(index).get("entries", {}).get(name) or []
        matching = [
            entry for entry in entries if str(entry.get("version", "")).lstrip("v") == version.lstrip("v")
        ]
        url, digest = (
            (str(matching[0]["urls"][0]), str(matching[0].get("digest") or "")) if matching else ("", "")
        )
    except (yaml.YAMLError, ValueError, AttributeError, LookupError, TypeError) as error:
        raise Stop(
            "unknown-state",
            f"The index of {repository} cannot be read.",
            f"Reading index.yaml ended with the error {type(error).__name__}.",
            "Check the address of the chart repository.",
        ) from error
    if not url:
        return None
    target = urljoin(base, url)
    if host(target) not in {place, *hosts}:
        raise Stop(
            "wrong-source",
            f"{repository} redirects to {host(target)} for {name}.",
            "The settings allow only the host of the repository.",
            f"Add {host(target)} to `render.hosts`, or use a repository that serves its charts from its own host.",
        )
    archive = _get(session, target, host(target))
    if digest and hashlib.sha256(archive).hexdigest() != digest.removeprefix("sha256:"):
        raise Stop(
            "unknown-state",
            f"{name} {version} of {repository} differs from the index of the repository.",
            "The digest of the archive is not the digest in the index.",
            "Check the chart repository, because the archive may have been replaced.",
        )
    return archive


def _get(session: requests.Session, url: str, place: str) -> bytes:
    response = http.reach(place, lambda: session.get(url, allow_redirects=False))
    if response.status_code != 200:
        raise Stop(
            "unreachable",
            f"{place} does not serve {url.rpartition('/')[2]}.",
            f"The chart repository returned {response.status_code}.",
            "Check the address of the chart repository.",
        )
    return response.content
