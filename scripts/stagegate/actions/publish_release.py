"""publish-release: draft, assets, then publish the GitHub release of a tag whose gates have passed."""

from __future__ import annotations

from stagegate.clients import hub, job_permissions
from stagegate.clients.connections import open_connections
from stagegate.model import Result
from stagegate.notification.entrypoint import entrypoint
from stagegate.promotion import app_state, apps
from stagegate.release.image_tags import plan as image_plan
from stagegate.release.publication import apply, assets, facts, floating, plan, report
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs


class PublishRelease(PinsInputs, frozen=True, kw_only=True):
    """Inputs of publish-release."""

    version: str = ""
    environment: str = ""
    chart: str = ""
    notes: str = ""
    sbom: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    floating: str = "false"
    wait_for_others: bool = False


def main(inputs: PublishRelease, context: Context) -> Result:
    """Each request to GitHub is sent once."""
    with hub.remembering():
        return publish(inputs, context)


def publish(inputs: PublishRelease, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report. The default branch decides which gates must have passed."""
    inputs, settings_source = apps.load_one(inputs, context)
    connections = open_connections(settings_source, context, inputs, job_permissions.PUBLISH)
    settings = app_state.read(connections, settings_source).settings
    registry = connections.limited(settings).registry
    kinds = image_plan.chosen(inputs.floating)
    known = facts.read(
        settings,
        connections.app,
        registry,
        version=inputs.version or facts.of_tag(context.ref, settings.version.tag_prefix),
        environment=inputs.environment,
        chart=facts.package(inputs.chart, context),
        notes=inputs.notes,
        files=assets.matching((*inputs.sbom, *inputs.assets), context, "sbom or assets"),
    )
    decided = plan.plan(known, wait_for_others=inputs.wait_for_others)
    kinds = () if decided.reason == "queued" else kinds
    published = apply.apply(decided, known, connections.app, report.body(known), dry_run=inputs.dry_run)
    moved = floating.move(kinds, known, settings, registry, connections.app, dry_run=inputs.dry_run)
    published = published.with_changes(moved)
    return report.result(known, decided, published, settings, dry_run=inputs.dry_run, calls=connections.calls)


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("publish-release", PublishRelease, main)
