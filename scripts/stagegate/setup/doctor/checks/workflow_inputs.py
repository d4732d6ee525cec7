"""workflow-inputs: each call of stagegate gives inputs that exist, and values that the jobs before it write."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app.sources import mapping
from stagegate.model import Finding
from stagegate.setup.doctor import expressions, outputs, reusable, workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.reusable import Interface
from stagegate.setup.doctor.workflow_calls import StagegateCall

_OUTPUT = re.compile(r"\$\{\{[^}]*?\bneeds\.(?P<job>[\w-]+)\.outputs\.(?P<output>[\w-]+)")


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for unknown and missing inputs, and for inputs that are always empty."""
    for workflow in workflow_calls.read(facts):
        for job, address in workflow.odd:
            yield finding(
                "error",
                f"The job {job} cannot call {address}.",
                "A job can only call a workflow, as "
                "owner/stagegate/.github/workflows/<name>.yml@<commit>. A step calls an action, as "
                "owner/stagegate/actions/<name>@<commit>.",
                f"Correct `uses:` of the job {job}; `stagegate init` shows the whole file.",
                file=workflow.file,
            )
        for call in workflow.calls:
            interface = reusable.read(call.name)
            if interface is None:
                yield _unknown(call)
            else:
                yield from _inputs(call, interface)
                yield from _app(facts, call, interface)
            yield from _outputs(facts, call, workflow.jobs)


def _unknown(call: StagegateCall) -> Finding:
    near = difflib.get_close_matches(call.name, reusable.names(), 1)
    hint = f"Write {near[0]}" if near else f"Write one of {', '.join(reusable.names())}"
    return finding(
        "error",
        f"The job {call.job} calls {call.name}, which stagegate does not have.",
        "GitHub does not start a workflow that calls a file which does not exist.",
        f"{hint} in `uses:` of the job {call.job}.",
        file=call.file,
        line=call.line,
    )


def _inputs(call: StagegateCall, interface: Interface) -> Iterator[Finding]:
    refused = "GitHub does not start a workflow that passes an unknown input."
    for name in call.inputs:
        if name not in interface.inputs:
            near = difflib.get_close_matches(str(name), interface.inputs, 1)
            hint = f"Write `{near[0]}`" if near else f"Delete `{name}`"
            yield finding(
                "error",
                f"{call.name} has no input `{name}`.",
                refused
                if interface.is_workflow
                else f"GitHub ignores the key, and {call.name} runs without it.",
                f"{hint} below `with:` in the job {call.job}.",
                file=call.file,
                line=call.line,
            )
    for name, required in interface.inputs.items():
        if required and name not in call.inputs:
            yield finding(
                "error",
                f"The job {call.job} does not give {call.name} the input `{name}`.",
                refused if interface.is_workflow else f"{call.name} fails without this input.",
                f"Write `{name}:` below `with:` in the job {call.job}.",
                file=call.file,
                line=call.line,
            )


def _app(facts: DoctorFacts, call: StagegateCall, interface: Interface) -> Iterator[Finding]:
    """Findings for calls without the App that writes states under `trust: protected`."""
    protected = any(settings.trust.level == "protected" for _, settings in facts.valid)
    if protected and "app-id" in interface.inputs and "app-id" not in call.inputs:
        yield finding(
            "error",
            f"The job {call.job} does not give {call.name} the input `app-id`.",
            "Under `trust: protected` only records that the GitHub App writes count; without `app-id` the job "
            "would "
            "write them with GITHUB_TOKEN.",
            f"Write `app-id: ${{{{ vars.STAGEGATE_APP_ID }}}}` below `with:` in the job {call.job}.",
            file=call.file,
            line=call.line,
        )


def _outputs(facts: DoctorFacts, call: StagegateCall, jobs: Mapping[str, Any]) -> Iterator[Finding]:
    """`needs.<job>.outputs.<name>` of a job that does not exist, is not needed, or writes no such output."""
    needed = expressions.needed(mapping(jobs.get(call.job)))
    for name, value in call.inputs.items():
        for match in _OUTPUT.finditer(str(value)):
            job, output = match["job"], match["output"]
            written_outputs = outputs.of_job(facts, mapping(jobs.get(job)))
            if job in needed and job in jobs and (written_outputs is None or output in written_outputs):
                continue
            if job not in jobs:
                why, cure = f"The file has no job {job}.", f"Write one of: {', '.join(jobs)}."
            elif job not in needed:
                why = f"The job {call.job} does not list the job {job} in `needs`."
                cure = f"Add {job} to `needs:` of the job {call.job}."
            else:
                why = f"The job {job} has these outputs: {', '.join(written_outputs or ()) or 'none'}."
                cure = f"Add `{output}` below `outputs:` of the job {job}, or correct the name."
            yield finding(
                "error",
                f"The input `{name}` of {call.name} is always empty, because the output "
                f"{job}.{output} does not exist.",
                why,
                cure,
                file=call.file,
                line=call.line,
            )


CHECK = DoctorCheck(
    name="workflow-inputs",
    looks_at="Inputs of each call of stagegate: their names, and which outputs of other jobs they use",
    cure="Correct the inputs below `with:`.",
    check=check,
)
