"""workflow-triggers: a commit starts the workflow that releases or verifies it, and none ends before it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app.sources import mapping
from stagegate.model import Finding
from stagegate.pins import files as pin_files
from stagegate.setup.doctor import event_filters, workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.workflow_calls import WorkflowFile

_VERIFYING = ("events.yml", "production.yml", "staging-gate")
_RELEASING = {"version.yml", "version-bump", "road.yml"}


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for branches of the releasing workflow, paths of the verifying one, and cancelled runs."""
    workflows = workflow_calls.read(facts)
    yield from _releasing(facts, workflows)
    yield from _left_out(facts, workflows)
    yield from _cancelled(workflows)


def _releasing(facts: DoctorFacts, workflows: tuple[WorkflowFile, ...]) -> Iterator[Finding]:
    """Findings for a workflow that releases on pushes, but not on pushes to a release branch."""
    main = workflow_calls.default_branch(facts)
    branches = {
        main,
        *(branch for _, settings in facts.valid for branch in settings.release_branches),
    }
    for workflow in workflows:
        names = {call.name for call in workflow.calls if call.inputs.get("mode") not in ("verify", "plan")}
        push = mapping(workflow.triggers.get("push"))
        if not names & _RELEASING or "push" not in workflow.triggers or "tags" in push:
            continue
        if set(workflow.triggers) <= {"push", "workflow_dispatch"} and not any(
            workflow_calls.started_on(workflow, branch) for branch in branches
        ):
            yield finding(
                "error" if facts.hub else "warning",
                f"{workflow.file} is not started by a push to {main}.",
                f"The `push` of this workflow names other branches, so a commit on {main} makes no release.",
                f"Write `push: {{branches: [{main}]}}` in the `on:` of {workflow.file}.",
                file=workflow.file,
            )
        else:
            yield from _release_branches(facts, workflow, main)


def _release_branches(facts: DoctorFacts, workflow: WorkflowFile, main: str) -> Iterator[Finding]:
    """Patterns of `release-branches` of which no branch starts the workflow that releases."""
    patterns: dict[str, str] = {}
    for config, settings in facts.valid:
        for pattern in () if settings.source else settings.release_branches:
            patterns.setdefault(pattern, config)
    missing = [
        pattern
        for pattern in patterns
        if not workflow_calls.started_on(workflow, event_filters.example_of(pattern))
    ]
    if missing:
        yield finding(
            "warning",
            f"{workflow.file} is not started by a push to {', '.join(missing)}.",
            f"`release-branches` in {patterns[missing[0]]} lists these branches, but a commit on "
            "one of them makes no release.",
            f"Write `push: {{branches: [{', '.join(dict.fromkeys([main, *patterns]))}]}}` in the "
            f"`on:` of {workflow.file}.",
            file=workflow.file,
        )


def _left_out(facts: DoctorFacts, workflows: tuple[WorkflowFile, ...]) -> Iterator[Finding]:
    """Findings for pins whose change starts no verifying workflow, because of `paths` or `paths-ignore`."""
    verifying = [
        w for w in workflows if any(call.name in _VERIFYING for call in w.calls) and "push" in w.triggers
    ]
    if not verifying:
        return
    for _, settings, environment in facts.places:
        for file in () if settings.policy else {pin_files.file_of(pin) for pin in environment.pins}:
            if not any(_starts(mapping(workflow.triggers["push"]), file) for workflow in verifying):
                yield finding(
                    "error",
                    f"{verifying[0].file} is not started by a push that changes {file}.",
                    f"{file} is a pin of {environment.name}, but `paths` or `paths-ignore` of the "
                    "`push` exclude it, so a merged promotion is not verified.",
                    f"Delete `paths` and `paths-ignore` of `push` in {verifying[0].file}: the "
                    "workflow itself skips pins that did not change.",
                    file=verifying[0].file,
                    environment=environment.name,
                )


def _starts(push: Mapping[str, Any], file: str) -> bool:
    return event_filters.passes(push, "paths", file)


def _cancelled(workflows: tuple[WorkflowFile, ...]) -> Iterator[Finding]:
    """Findings for concurrency groups of several runs, of which GitHub cancels all but the newest waiting one."""
    for workflow in workflows:
        jobs = [mapping(workflow.jobs.get(call.job)).get("concurrency") for call in workflow.calls]
        for concurrency in [workflow.concurrency] if workflow.calls else []:
            jobs.append(concurrency)
        for concurrency in filter(None, jobs):
            group = (
                concurrency if isinstance(concurrency, str) else str(mapping(concurrency).get("group") or "")
            )
            if "github.run_id" in group:
                continue
            cancels = mapping(concurrency).get("cancel-in-progress") not in (None, False, "false")
            yield finding(
                "error" if cancels else "warning",
                f"All runs of {workflow.file} share the concurrency group {group}.",
                "So a newer run "
                + (
                    "cancels a run that is running a gate or a promotion."
                    if cancels
                    else "replaces a waiting run, and the work of the waiting run is lost."
                ),
                "Delete `concurrency`: stagegate handles concurrent runs itself.",
                file=workflow.file,
            )
            break


CHECK = DoctorCheck(
    name="workflow-triggers",
    looks_at="The triggers of the workflows that call stagegate: branches, paths, and concurrency groups",
    cure="Correct `on:` or `concurrency:` of the workflow.",
    check=check,
)
