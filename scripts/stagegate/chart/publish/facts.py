"""The facts of a publication: existing images, the rendered chart, and what is already published."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from stagegate.chart import dependencies, package, published, source
from stagegate.chart.check import facts as check_facts
from stagegate.chart.check import plan as check_plan
from stagegate.chart.check.request import CheckRequest
from stagegate.chart.package import Package
from stagegate.chart.publish import committed
from stagegate.chart.publish.plan import ChartReleaseFacts, PublishedChart
from stagegate.chart.source import ChartSource
from stagegate.clients import registry
from stagegate.clients.registry import Manifest, Registry
from stagegate.clients.registry.credentials import Credentials
from stagegate.evidence.release_record import Record
from stagegate.model import Finding
from stagegate.settings import ChartSettings, Settings


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs of this run: the release to publish, its source, and how strictly to lint."""

    version: str
    commit: str
    images: Mapping[str, str]
    workspace: Path
    repository: str
    strict: bool = False
    findings: tuple[Finding, ...] = ()


def read(
    settings: Settings,
    own: ChartSettings,
    build: Build,
    store: Registry,
    logins: Mapping[str, Credentials],
    *,
    dry_run: bool = False,
) -> tuple[ChartReleaseFacts, Package | None]:
    """The facts about a release with a chart of ours, and the package when the checks let it be packed.

    The chart passes chart-check first, in this process: its errors are findings, and nothing is packed then.
    Stop(missing-file) without a chart or its lock, Stop(missing-permission) where the login may not push.
    """
    place = published.reference(settings.chart_reference, build.version)
    manifest = store.manifest(place)
    # Of a new chart the first upload begins at once: a login that may not push fails before any work.
    begun = _begun(store, place) if manifest is None and not dry_run else ""
    with ExitStack() as stack:
        tree = stack.enter_context(committed.tree(build.workspace, build.commit, own.path))
        chart = source.read(tree / own.path, own.path, own.name or Path(own.path).name)
        findings = (*build.findings, *_versions(chart, build.version), *dependencies.mismatches(chart))
        whole = stack.enter_context(dependencies.complete(chart, tree, logins))
        checked = check_plan.plan(
            check_facts.of_source(
                settings,
                own,
                whole,
                check_facts.Checkout(build.workspace, build.repository),
                CheckRequest(strict=build.strict),
            )
        )
        findings += checked.findings
        facts = ChartReleaseFacts(
            app=settings.app,
            version=build.version,
            commit=build.commit,
            images=build.images,
            chart=settings.chart_reference,
            reference=str(place),
            rendered=checked.environments,
            findings=findings,
            begun=begun,
        )
        if any(finding.severity == "error" and not finding.silenced for finding in findings):
            return facts, None
        packed = package.pack(whole, Record(commit=build.commit, images=build.images))
    existing = _seen(store, place, packed, manifest)
    return msgspec.structs.replace(
        facts, digest=packed.digest, content=packed.content, there=existing
    ), packed


def _begun(store: Registry, place: registry.Reference) -> str:
    """Where the first blob can be sent to; empty where the push begins it, which tries again after trouble."""
    try:
        return store.begin_upload(place)
    except registry.Transient as trouble:
        if trouble.reason == "missing-permission":
            raise
        return ""


def _seen(
    store: Registry, place: registry.Reference, packed: Package, manifest: Manifest | None
) -> PublishedChart | None:
    """What the registry has under the version; no more requests when that is nothing, or exactly ours."""
    if manifest is None:
        return None
    digest = manifest.digest
    if digest == packed.digest:
        return PublishedChart(digest=digest, content=packed.content)
    fetched = published.fetch(store, place.at(digest))
    if fetched is None:
        return None
    record = fetched.record
    return PublishedChart(
        digest=digest,
        content=fetched.content,
        commit=record.commit if record else "",
        images=record.images if record else {},
    )


def _versions(chart: ChartSource, version: str) -> list[Finding]:
    """Chart and app are released together: both fields of Chart.yaml are the release's version."""
    held = {"version": chart.version, "appVersion": chart.app_version}
    return [
        Finding(
            rule="version-consistent",
            severity="error",
            file=chart.file,
            message=f"{chart.file} has {key} {value or 'missing'}, the release is {version}.",
            why="A chart is published under the version of its release.",
            fix=f"List {chart.file} with path {key} under version.files, and let version-bump move it.",
        )
        for key, value in held.items()
        if value != version
    ]
