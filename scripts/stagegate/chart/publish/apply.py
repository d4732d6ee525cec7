"""Pushes the chart once, then reads it back."""

from __future__ import annotations

from stagegate.chart.package import Package
from stagegate.chart.publish.plan import ChartPublication, ChartReleaseFacts
from stagegate.clients import registry
from stagegate.clients.registry import Manifest, Registry
from stagegate.model import Change
from stagegate.model.media_types import OCI_MANIFEST


def apply(
    decided: ChartPublication,
    facts: ChartReleaseFacts,
    packed: Package | None,
    store: Registry,
    *,
    dry_run: bool,
) -> tuple[Change, ...]:
    """Push the package if it is to be published, and compare the result.

    A dry run only returns the intended change. If two runs publish different content at the same time, one gets
    Stop(version-taken) with both digests.
    """
    if decided.reason != "published" or packed is None:
        return ()
    change = Change(kind="publish", target=facts.reference, after=facts.digest, done=not dry_run)
    if dry_run:
        return (change,)
    place = registry.parse(facts.reference)
    manifest = Manifest(media_type=OCI_MANIFEST, raw=packed.manifest)
    store.push(place, manifest, (packed.config, packed.archive), absent=True, begun=facts.begun)
    return (change,)
