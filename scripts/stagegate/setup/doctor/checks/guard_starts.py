"""guard-starts: pin-guard judges every pull request, and each event has one workflow."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.argocd_app.sources import items, mapping
from stagegate.model import Finding
from stagegate.pins import files as pin_files
from stagegate.setup.doctor import event_filters, workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.workflow_calls import WorkflowFile

_GUARDING = ("events.yml", "pin-guard.yml", "pin-guard")
_LABELS = ("labeled", "unlabeled")
_PULL = "pull_request_target"


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for filters of the guarding workflow, and for several workflows with the same events."""
    workflows = workflow_calls.read(facts)
    for workflow in workflows:
        if _PULL in workflow.triggers and any(call.name in _GUARDING for call in workflow.calls):
            yield from _filters(facts, workflow)
    yield from _twice(workflows)


def _filters(facts: DoctorFacts, workflow: WorkflowFile) -> Iterator[Finding]:
    event = mapping(workflow.triggers.get(_PULL))
    main = workflow_calls.default_branch(facts)
    if not event_filters.passes(event, "branches", main):
        yield finding(
            "error",
            f"{workflow.file} does not guard pull requests to {main}.",
            f"`branches` of its `{_PULL}` leave {main} out, and the status stagegate/pins is missing there.",
            f"Write `branches: [{main}]`, or delete `branches`.",
            file=workflow.file,
        )
    pins = {
        pin_files.file_of(pin)
        for _, settings, environment in facts.places
        if not settings.policy
        for pin in environment.pins
    }
    unseen = sorted(file for file in pins if not event_filters.passes(event, "paths", file))
    if unseen:
        yield finding(
            "error",
            f"{workflow.file} does not guard pull requests that change {unseen[0]}.",
            f"`paths` of its `{_PULL}` leave it out. Where stagegate/pins is required, every other pull request "
            "waits for a status that never arrives.",
            "Delete `paths` and `paths-ignore`: pin-guard itself passes what changes no pin.",
            file=workflow.file,
        )
    types = [str(activity) for activity in items(event.get("types"))]
    missing = [activity for activity in _LABELS if types and activity not in types]
    if missing:
        yield finding(
            "warning",
            f"{workflow.file} does not notice labels of pull requests.",
            "A label such as stagegate/risk:not-rendered is then seen with the next commit only.",
            f"Write `types: [{', '.join([*types, *missing])}]` below `{_PULL}`.",
            file=workflow.file,
        )


def _twice(workflows: tuple[WorkflowFile, ...]) -> Iterator[Finding]:
    """Findings for two workflows that handle the same event for the same apps."""
    first: dict[tuple[str, str], str] = {}
    told: set[str] = set()
    for workflow in workflows:
        for call in workflow.calls:
            for event in workflow.triggers if call.name == "events.yml" else ():
                other = first.setdefault((event, str(call.inputs.get("config") or "")), workflow.file)
                if other != workflow.file and workflow.file not in told:
                    told.add(workflow.file)
                    yield finding(
                        "warning",
                        f"{other} and {workflow.file} both call events.yml for the same apps.",
                        f"Each `{event}` is then handled twice: every comment gets two replies, and two gates run.",
                        f"Delete {workflow.file}, or give each `config:` of its own.",
                        file=workflow.file,
                    )


CHECK = DoctorCheck(
    name="guard-starts",
    looks_at="Which pull requests pin-guard judges, and whether one event starts two workflows",
    cure="Correct `on:` of the workflow.",
    check=check,
)
