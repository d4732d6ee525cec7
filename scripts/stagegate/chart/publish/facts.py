"""Reads the facts for helm-publish: the chart at the commit, its findings, and the published version."""

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
    chart_settings: ChartSettings,
    build: Build,
    store: Registry,
    logins: Mapping[str, Credentials],
    *,
    dry_run: bool = False,
) -> tuple[ChartReleaseFacts, Package | None]:
    """The facts about a release with a chart, and the package (None when a check has an error).

    The rules of chart-check are applied first, in this process.
    Stop(missing-file) without a chart or its lock, Stop(missing-permission) where the login may not push.
    """
    place = published.reference(settings.chart_reference, build.version)
    manifest = store.manifest(place)
    # Begin the first upload of a new chart at once, so that a login without permission fails before any work.
    begun = _begun(store, place) if manifest is None and not dry_run else ""
    with ExitStack() as stack:
        tree = stack.enter_context(committed.tree(build.workspace, build.commit, chart_settings.path))
        chart = source.read(
            tree / chart_settings.path,
            chart_settings.path,
            chart_settings.name or Path(chart_settings.path).name,
        )
        findings = (*build.findings, *_versions(chart, build.version), *dependencies.mismatches(chart))
        complete_chart = stack.enter_context(dependencies.complete(chart, tree, logins))
        checked = check_plan.plan(
            check_facts.of_source(
                settings,
                chart_settings,
                complete_chart,
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
        packed = package.pack(complete_chart, Record(commit=build.commit, images=build.images))
    existing = _published(store, place, packed, manifest)
    return msgspec.structs.replace(
        facts, digest=packed.digest, content=packed.content, existing=existing
    ), packed


def _begun(store: Registry, place: registry.Reference) -> str:
    """The address for the first blob.

    Empty after a passing error, because the push then begins the upload itself.
    """
    try:
        return store.begin_upload(place)
    except registry.Transient as error:
        if error.reason == "missing-permission":
            raise
        return ""


def _published(
    store: Registry, place: registry.Reference, packed: Package, manifest: Manifest | None
) -> PublishedChart | None:
    """The published chart of this version; no further request when there is none, or when it is exactly ours."""
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
    """Findings when `version` or `appVersion` of Chart.yaml is not the release's version."""
    fields = {"version": chart.version, "appVersion": chart.app_version}
    return [
        Finding(
            rule="version-consistent",
            severity="error",
            file=chart.file,
            message=f"In {chart.file}, {key} is {value or 'missing'}, but the release is {version}.",
            why="A chart is published under the version of its release.",
            fix=f"List {chart.file} with the path {key} under version.files, so that version-bump "
            "updates the version in this file.",
        )
        for key, value in fields.items()
        if value != version
    ]
