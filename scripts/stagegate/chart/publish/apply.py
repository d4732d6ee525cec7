"""The one write of a publication, then a look at what really stands there."""

from __future__ import annotations

from stagegate.chart.package import MANIFEST_TYPE, Package
from stagegate.chart.publish.plan import ChartPublication, ChartReleaseFacts, taken
from stagegate.clients import registry
from stagegate.clients.registry import Manifest, Registry
from stagegate.errors import Stop
from stagegate.model import Change


def apply(
    decided: ChartPublication,
    facts: ChartReleaseFacts,
    packed: Package | None,
    store: Registry,
    *,
    dry_run: bool,
) -> tuple[Change, ...]:
    """Push the package if that is decided, read its manifest back and compare; a dry run only says so.

    Two runs may push at the same moment and a registry lets the last one win: the one that reads back
    something else ends with Stop(version-taken) and both digests.
    """
    if decided.reason != "published" or packed is None:
        return ()
    change = Change(kind="publish", target=facts.reference, after=facts.digest, done=not dry_run)
    if dry_run:
        return (change,)
    place = registry.parse(facts.reference)
    manifest = Manifest(media_type=MANIFEST_TYPE, raw=packed.manifest)
    store.push(place, manifest, (packed.config, packed.archive), absent=True, begun=facts.begun)
    published = store.manifest(place)
    if published is None:
        raise Stop(
            "unknown-state",
            f"{facts.reference} was pushed and is not there.",
            "The registry took it, and does not show it.",
            "Run again in a minute; if it stays so, ask who runs the registry.",
        )
    if published.digest != packed.digest:
        raise taken(facts.reference, published.digest, packed.digest)
    return (change,)
