"""workflow-outputs: every output that a job or step of a release uses is written by another one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app.sources import items, mapping
from stagegate.model import Finding
from stagegate.setup.doctor import expressions, outputs, workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.workflow_calls import WorkflowFile

_EMPTY = "GitHub reports no error for an unknown output; the value is empty."


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for outputs that are always empty, in every workflow that calls stagegate."""
    for workflow in workflow_calls.read(facts):
        for name, job in workflow.jobs.items() if workflow.calls else ():
            yield from _of_jobs(facts, workflow, str(name), mapping(job))
            yield from _of_steps(workflow, str(name), mapping(job))


def _of_jobs(
    facts: DoctorFacts, workflow: WorkflowFile, name: str, job: Mapping[str, Any]
) -> Iterator[Finding]:
    needed = expressions.needed(job)
    for missing in (job for job in needed if job not in workflow.jobs):
        near = difflib.get_close_matches(missing, workflow.jobs, 1)
        yield finding(
            "error",
            f"The job {name} needs the job {missing}, but {workflow.file} has no job of this name.",
            "GitHub does not start a workflow that needs an unknown job.",
            f"Write {near[0]} instead." if near else f"Write one of: {', '.join(workflow.jobs)}.",
            file=workflow.file,
        )
    for taken in dict.fromkeys(expressions.of_jobs(_without_inputs(job))):
        if taken.owner in needed and taken.owner not in workflow.jobs:
            continue  # reported above
        if taken.owner not in needed:
            cure = (
                f"Add {taken.owner} to `needs:` of the job {name}."
                if taken.owner in workflow.jobs
                else f"Write one of: {', '.join(workflow.jobs)}."
            )
            yield _empty(
                workflow,
                name,
                f"needs.{taken.text}",
                f"The job does not list {taken.owner} in `needs`.",
                cure,
            )
            continue
        outputs_of_job = outputs.of_job(facts, mapping(workflow.jobs.get(taken.owner)))
        if outputs_of_job is not None and taken.output not in outputs_of_job:
            why = f"The job {taken.owner} has these outputs: {', '.join(outputs_of_job) or 'none'}."
            cure = _nearest(taken.output, outputs_of_job, f"`outputs:` of the job {taken.owner}")
            yield _empty(workflow, name, f"needs.{taken.text}", why, cure)


def _of_steps(workflow: WorkflowFile, name: str, job: Mapping[str, Any]) -> Iterator[Finding]:
    if "uses" in job:
        return
    steps = {str(step.get("id")): step for step in map(mapping, items(job.get("steps"))) if "id" in step}
    for taken in dict.fromkeys(expressions.of_steps(job)):
        if taken.owner not in steps:
            why = f"The job has no step with `id: {taken.owner}`."
            cure = _nearest(taken.owner, tuple(steps), f"the steps, as `id: {taken.owner}`")
            yield _empty(workflow, name, f"steps.{taken.text}", why, cure)
            continue
        outputs_of_step = outputs.of_step(steps[taken.owner])
        if taken.output and outputs_of_step is not None and taken.output not in outputs_of_step:
            why = f"{steps[taken.owner]['uses']} has these outputs: {', '.join(outputs_of_step) or 'none'}."
            yield _empty(
                workflow, name, f"steps.{taken.text}", why, _nearest(taken.output, outputs_of_step, "")
            )


def _empty(workflow: WorkflowFile, job: str, text: str, why: str, cure: str) -> Finding:
    return finding(
        "error",
        f"The job {job} uses {text}, which is always empty.",
        f"{why} {_EMPTY}",
        cure,
        file=workflow.file,
    )


def _nearest(name: str, names: tuple[str, ...], place: str) -> str:
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f"Write {near[0]} instead of {name}."
    return f"Add {name} to {place}, or correct the name." if place else f"Write one of: {', '.join(names)}."


def _without_inputs(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job without the inputs of calls of stagegate, which the check `workflow-inputs` reports."""
    steps = [_without_with(mapping(step)) for step in items(job.get("steps"))]
    return {**_without_with(job), "steps": steps}


def _without_with(definition: Mapping[str, Any]) -> dict[str, Any]:
    left_out = ("with",) if workflow_calls.is_call(str(definition.get("uses") or "")) else ()
    return {key: value for key, value in definition.items() if key not in left_out}


CHECK = DoctorCheck(
    name="workflow-outputs",
    looks_at="Outputs that jobs and steps of a release read from each other: whether the outputs exist",
    cure="Correct the name in the expression.",
    check=check,
)
