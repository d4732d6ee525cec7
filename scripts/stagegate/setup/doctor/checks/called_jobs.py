"""called-jobs: jobs that call a workflow of stagegate have a form that GitHub accepts, and run for their events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app.sources import mapping
from stagegate.model import Finding
from stagegate.setup.doctor import workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.workflow_calls import StagegateCall, WorkflowFile

# https://docs.github.com/actions/how-tos/reuse-automations/reuse-workflows#supported-keywords-for-jobs-that-call-a-reusable-workflow
_ALLOWED = frozenset(
    {"name", "uses", "with", "secrets", "strategy", "needs", "if", "concurrency", "permissions"}
)
_EVENTS = frozenset(
    {"push", "pull_request_target", "merge_group", "issue_comment", "workflow_dispatch", "schedule"}
)
_ONE_EVENT = re.compile(r"(?:\$\{\{)?\s*github\.event_name\s*==\s*'(?P<event>\w+)'\s*(?:\}\})?")
_OWN_NAMED = ("STAGEGATE_VARIABLES", "ARGOCD_TOKEN")  # secrets of the GitHub Environment of a called job


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for keys, conditions and runners of called jobs, and for values of secrets."""
    for workflow in workflow_calls.read(facts):
        for call in workflow.calls:
            job = mapping(workflow.jobs.get(call.job))
            if call.name.endswith(".yml"):
                yield from _keys(call, job)
                yield from _condition(workflow, call, job)
                yield from _runner(call)
                yield from _secrets(call, job)


def _keys(call: StagegateCall, job: Mapping[str, Any]) -> Iterator[Finding]:
    refused = sorted(str(key) for key in job if key not in _ALLOWED)
    if refused:
        names = ", ".join(f"`{key}`" for key in refused)
        yield _finding(
            call,
            "error",
            f"The job {call.job} calls {call.name}, and such a job may not have {names}.",
            "GitHub does not start a workflow with such a job. The called workflow has its own runner, steps and "
            "GitHub Environment.",
            f"Delete {names} from the job {call.job}."
            + (
                " The input `runs-on` of the called workflow names the runner."
                if "runs-on" in refused
                else ""
            ),
        )


def _condition(workflow: WorkflowFile, call: StagegateCall, job: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings for an `if` that excludes events of the workflow."""
    condition = str(job.get("if") or "")
    match = _ONE_EVENT.fullmatch(condition.strip())
    left_out = sorted(_EVENTS & workflow.triggers.keys() - {match["event"]}) if match else []
    if call.name == "events.yml" and left_out:
        yield _finding(
            call,
            "error",
            f"The job {call.job} does not run for {', '.join(left_out)}.",
            f"Its condition is `{condition.strip()}`, and {call.name} handles every event itself.",
            f"Delete `if:` of the job {call.job}.",
        )
    elif re.search(r"\b(?:always|failure)\(\)", condition) and "result" not in condition:
        yield _finding(
            call,
            "warning",
            f"The job {call.job} also runs after a job before it has failed.",
            f"Its condition is `{condition.strip()}`. {call.name} then gets no digests and fails too.",
            f"Delete `if:` of the job {call.job}.",
        )


def _runner(call: StagegateCall) -> Iterator[Finding]:
    given = call.inputs.get("runs-on")
    if given is None or "${{" in str(given):
        return
    try:
        label = json.loads(given) if isinstance(given, str) else None
    except ValueError:
        label = None
    if not isinstance(label, str | list):
        yield _finding(
            call,
            "error",
            f"The input `runs-on` of the job {call.job} is {given}, which is no JSON text.",
            f"{call.name} reads it as JSON, and GitHub ends the run with an error.",
            f"Write `runs-on: '\"{given if isinstance(given, str) else 'ubuntu-latest'}\"'`, or a JSON array.",
        )


def _secrets(call: StagegateCall, job: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings for secrets with a literal value, from a variable, or with a wrong name."""
    for name, given in mapping(job.get("secrets")).items():
        text = str(given)
        taken = re.findall(r"\bsecrets\.(\w+)", text)
        if re.search(r"\bvars\.\w+", text):
            message = f"The secret {name} of the job {call.job} comes from a variable."
            yield _finding(
                call,
                "error",
                message,
                "Variables are shown in settings and logs, and are not masked.",
                f"Store it with `gh secret set {name}`, and write `{name}: ${{{{ secrets.{name} }}}}`.",
            )
        elif text.strip() and "${{" not in text:
            yield _finding(
                call,
                "error",
                f"The value of the secret {name} is written out in {call.file}.",
                "Everybody who can read the repository can read it, also in its history.",
                f"Change it, store it with `gh secret set {name}`, and write `{name}: ${{{{ secrets.{name} }}}}`.",
            )
        elif name in _OWN_NAMED and taken and name not in taken:
            yield _finding(
                call,
                "warning",
                f"The job {call.job} passes the secret {taken[0]} as {name}.",
                f"{call.name} takes the secret {name} of the GitHub Environment of each of its jobs. Another name "
                "is looked up in the repository only.",
                f"Write `{name}: ${{{{ secrets.{name} }}}}`, and store the secret under this name.",
            )


def _finding(call: StagegateCall, severity: Any, message: str, why: str, fix: str) -> Finding:
    return finding(severity, message, why, fix, file=call.file, line=call.line)


CHECK = DoctorCheck(
    name="called-jobs",
    looks_at="The jobs that call workflows of stagegate: their keys, conditions, runners and secrets",
    cure="Write the job as `stagegate init` shows it.",
    check=check,
)
