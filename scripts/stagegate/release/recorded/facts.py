"""Reads a version of another tool: its tag, the digests of its artifacts, and its existing record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from stagegate.clients.hub import Hub
from stagegate.clients.registry import Registry, pushed
from stagegate.errors import Stop
from stagegate.evidence import releases
from stagegate.evidence.release_record import ForeignRecord
from stagegate.model import Release, parse_version
from stagegate.release.recorded.foreign_release import ForeignRelease
from stagegate.settings import Settings

_TAG = re.compile(r"refs/tags/(.+)")


def read(
    settings: Settings, version: str, ref: str, digests: str, hub: Hub, store: Registry
) -> ForeignRelease:
    """The facts of a version. `version` may have the tag's prefix. It is empty for a run that a tag started.

    Without `digests` the images are looked up by tag. Stop(bad-input), Stop(missing-file), Stop(not-authorised).
    """
    version = _version(settings, version, ref)
    images = releases.digests(digests, settings) if digests.strip() else None
    unrecorded = releases.unrecorded(settings, version, hub, store, images)
    pushed.demand(images or {}, store)
    record = ForeignRecord(
        version=version,
        commit=unrecorded.commit,
        images={image.reference: image.digest for image in unrecorded.images},
        chart=unrecorded.chart,
        looked_up=images is None and bool(unrecorded.images),
    )
    recorded = _in_chart(settings, unrecorded, record, store)
    if recorded is not None:
        return ForeignRelease(
            record=record, tag=unrecorded.tag, existing=recorded, in_chart=True, finished=True
        )
    number, existing, finished = releases.deployed(settings, version, hub)
    return ForeignRelease(
        record=record, tag=unrecorded.tag, existing=existing, number=number, finished=finished
    )


def payload(app: str, record: ForeignRecord, actor: str) -> dict[str, Any]:
    """The record as the payload of a deployment."""
    document: Mapping[str, Any] = msgspec.to_builtins(record)
    return {"app": app, **document, "actor": actor}


def _version(settings: Settings, version: str, ref: str) -> str:
    """The version in the input, or that of the tag that started this run. Stop(bad-input)."""
    prefix = settings.version.tag_prefix
    match = _TAG.fullmatch(ref)
    text = version.strip() or (match[1] if match else "")
    if not text:
        raise Stop(
            "bad-input",
            "The run has no version.",
            "The input `version` is empty, and no tag started this run.",
            "Pass the output of the tool that made the tag, such as `tag_name` of release-please.",
        )
    text = text.removeprefix(prefix) if prefix else text
    parse_version(text, source="version")
    return text


def _in_chart(
    settings: Settings, release: Release, record: ForeignRecord, store: Registry
) -> ForeignRecord | None:
    """The record in the chart, if helm-publish made the chart."""
    chart_record = releases.chart_record(settings, release.version, store) if settings.own_chart else None
    if chart_record is None:
        return None
    return msgspec.structs.replace(
        record, commit=chart_record.commit, images=dict(chart_record.images), looked_up=record.looked_up
    )
