"""The release record: annotations of the published chart, one chart digest identifies the whole release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from stagegate.errors import Stop
from stagegate.model import DIGEST, Chart, to_json

COMMIT, IMAGES = "stagegate/commit", "stagegate/images"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The artifacts of a release: the commit, and image repository -> digest."""

    commit: str
    images: Mapping[str, str] = {}

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations for Chart.yaml and the manifest."""
        return {COMMIT: self.commit, IMAGES: to_json(dict(self.images)).decode()}


class ForeignRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a version that others published, as a deployment keeps it.

    `chart` by digest, because the chart itself records nothing; `looked_up`: nobody handed over the digests of the
    images, they were looked up by tag when this was recorded.
    """

    version: str
    commit: str
    images: Mapping[str, str] = {}
    chart: Chart | None = None
    looked_up: bool = False


def from_annotations(annotations: Mapping[str, Any], where: str) -> Record | None:
    """The record of a published chart, or None when it has none. Stop(unknown-state) when it is broken."""
    if COMMIT not in annotations and IMAGES not in annotations:
        return None
    try:
        images = json.loads(str(annotations[IMAGES]))
        record = Record(commit=str(annotations[COMMIT]), images={str(k): str(v) for k, v in images.items()})
    except (ValueError, LookupError, AttributeError) as error:
        raise broken(where, f"{type(error).__name__}: {error}") from error
    bad = [digest for digest in record.images.values() if not DIGEST.fullmatch(digest)]
    if bad:
        raise broken(where, f"{bad[0][:80]!r} is not a digest")
    return record


def broken(where: str, why: str) -> Stop:
    """The Stop for an invalid record."""
    return Stop(
        "unknown-state",
        f"The release record of {where} cannot be read.",
        f"{why}.",
        "Publish a new version with helm-publish, because the release with the unreadable record "
        "cannot be trusted.",
    )
