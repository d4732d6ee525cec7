"""workflows: a moved pin is verified, a pull request is guarded, and comments are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from stagegate.argocd_app.sources import mapping
from stagegate.model import Finding
from stagegate.setup.doctor import workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.workflow_calls import WorkflowFile

VERIFYING = ("events.yml", "production.yml", "staging-gate")
GUARDING = ("events.yml", "pin-guard.yml", "pin-guard")
COMMANDING = ("events.yml", "commands.yml", "pr-command")
PROMOTING = ("events.yml", "promote.yml", "promote-pr")
_GATING = ("events.yml", "road.yml", "production.yml")  # reusable workflows with a gate in a job of theirs


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for what is missing, what cannot be started, and what is named wrongly."""
    workflows = workflow_calls.read(facts)
    for workflow in workflows:
        if workflow.trouble:
            yield finding("error", f"{workflow.file} is not YAML.", workflow.trouble, file=workflow.file)
    deciding = [config for config, settings in facts.valid if settings.environments and not settings.policy]
    if deciding:
        yield from _verifying(facts, workflows)
        yield from _guarding(workflows)
        yield from _announced(facts, workflows)
    yield from _named(facts, workflows)
    yield from _identified(facts)
    yield from _disabled(facts, workflows)


def _disabled(facts: DoctorFacts, workflows: tuple[WorkflowFile, ...]) -> Iterator[Finding]:
    """Workflows that call stagegate and that GitHub does not start."""
    hub = facts.hub
    if hub is None:
        return
    for state in hub.workflows or ():
        if state.state.startswith("disabled") and any(w.file == state.path and w.calls for w in workflows):
            name = PurePosixPath(state.path).name
            yield finding(
                "error",
                f"{state.path} is disabled on GitHub.",
                "GitHub also disables scheduled workflows if a repository has no activity for some time.",
                f"gh workflow enable {name} --repo {hub.repository}",
                file=state.path,
            )


def _identified(facts: DoctorFacts) -> Iterator[Finding]:
    """Gates with `auth: oidc` run in a job that may ask GitHub for its identity."""
    calls = [call for call in workflow_calls.calls(facts) if call.name in _GATING]
    for _, settings, environment in facts.places:
        if calls and not settings.policy and environment.argo.auth == "oidc":
            yield finding(
                "error",
                f"The gate of {environment.name} cannot log in to Argo CD in {calls[0].name}.",
                "`auth: oidc` needs `id-token: write`, but the reusable workflows of stagegate do "
                "not have this permission, and a caller cannot add it.",
                "Call actions/staging-gate in a job of your own with `permissions: id-token: write`, or set "
                "`auth: token` and the secret ARGOCD_TOKEN.",
                environment=environment.name,
                file=calls[0].file,
            )


def _verifying(facts: DoctorFacts, workflows: tuple[WorkflowFile, ...]) -> Iterator[Finding]:
    files = [w for w in workflows if any(call.name in VERIFYING for call in w.calls)]
    started = [w for w in files if "workflow_dispatch" in w.triggers]
    if not files:
        yield finding(
            "error",
            "No workflow verifies changed pins.",
            "A promotion would be deployed without a test, and the next environment would find no evidence.",
            "stagegate init",
        )
    elif not started:
        yield finding(
            "error",
            f"{files[0].file} cannot be started by a dispatch.",
            "A commit made with GITHUB_TOKEN starts no workflow, so stagegate dispatches the workflow that "
            "runs the gate.",
            f"Add `workflow_dispatch:` with the input `mode` to the `on:` of {files[0].file}.",
            file=files[0].file,
        )
    for workflow in started:
        if any(call.name in ("events.yml", "production.yml") for call in workflow.calls):
            continue  # started by a person on the first day, they adopt by themselves
        if "mode" not in _dispatched(workflow):
            yield finding(
                "warning",
                f"{workflow.file} has no input `mode`.",
                "On the first day, `mode: adopt` records the running release, so that a rollback "
                "to this release is possible.",
                "Add `inputs: {mode: {}}` below `workflow_dispatch`.",
                file=workflow.file,
            )
    if files and not any("push" in workflow.triggers for workflow in files):
        yield finding(
            "error",
            f"A push does not start {files[0].file}.",
            "After a person merges a promotion, only a push starts the gate.",
            f"Add `push: {{branches: [{workflow_calls.default_branch(facts)}]}}` to the `on:` of {files[0].file}.",
            file=files[0].file,
        )
    elif files and not any(
        workflow_calls.started_on(workflow, workflow_calls.default_branch(facts)) for workflow in files
    ):
        yield finding(
            "error" if facts.hub else "warning",
            f"{files[0].file} is not started by a push to {workflow_calls.default_branch(facts)}.",
            "The `push` of this workflow names other branches or only tags. After a person merges "
            "a promotion, only a push can start this workflow.",
            f"Write `push: {{branches: [{workflow_calls.default_branch(facts)}]}}` in the `on:` of "
            f"{files[0].file}.",
            file=files[0].file,
        )


def _announced(facts: DoctorFacts, workflows: tuple[WorkflowFile, ...]) -> Iterator[Finding]:
    """In a repository of pins: the workflow that the app's repository starts takes the release."""
    sources = sorted({settings.source_repository for _, settings in facts.valid if settings.source})
    promoting = [w for w in workflows if any(call.name in PROMOTING for call in w.calls)]
    takers = [w for w in promoting if {"release", "version"} & set(_dispatched(w))]
    if sources and promoting and not takers:
        yield finding(
            "error",
            f"{promoting[0].file} does not accept the input `release`.",
            f"To announce a release, {', '.join(sources)} starts this workflow with the input "
            "`release`, but GitHub refuses inputs that a workflow does not declare.",
            f"Add `inputs: {{release: {{}}}}` below `workflow_dispatch` in the `on:` of {promoting[0].file}.",
            file=promoting[0].file,
        )


def _dispatched(workflow: WorkflowFile) -> Mapping[str, Any]:
    """The inputs of a start by hand or by another workflow."""
    return mapping(mapping(workflow.triggers.get("workflow_dispatch")).get("inputs"))


def _guarding(workflows: tuple[WorkflowFile, ...]) -> Iterator[Finding]:
    guards = [
        workflow
        for workflow in workflows
        if any(call.name in GUARDING for call in workflow.calls)
        and {"pull_request_target", "merge_group"} & workflow.triggers.keys()
    ]
    if not guards:
        yield finding(
            "warning",
            "No workflow runs pin-guard on pull requests.",
            "So no rule checks a change of a pin that a person makes by hand.",
            "Call events.yml (or pin-guard.yml) on `pull_request_target`; `stagegate init` writes "
            "this workflow.",
        )
    if not any(
        "issue_comment" in workflow.triggers and any(call.name in COMMANDING for call in workflow.calls)
        for workflow in workflows
    ):
        yield finding(
            "note",
            "No workflow reads comments.",
            "Commands such as /promote, /rollback and /hold therefore get no reply.",
            "Call events.yml (or commands.yml) on `issue_comment`; `stagegate init` writes this workflow.",
        )


def _named(facts: DoctorFacts, workflows: tuple[WorkflowFile, ...]) -> Iterator[Finding]:
    """`verify-workflow` names a file that is there; without it, the default has to be."""
    files = {PurePosixPath(workflow.file).name for workflow in workflows}
    if facts.hub and facts.hub.workflows is not None and not workflows:
        files = {PurePosixPath(state.path).name for state in facts.hub.workflows}
    verifying = {
        PurePosixPath(workflow.file).name
        for workflow in workflows
        if any(call.name in VERIFYING for call in workflow.calls)
    }
    for workflow in workflows:
        for call in workflow.calls:
            name = str(call.inputs.get("verify-workflow") or "")
            if name and "${{" not in name and name not in (*files, "none"):
                yield finding(
                    "error",
                    f"{call.file} has `verify-workflow: {name}`, but this workflow does not exist.",
                    f"The workflows are: {', '.join(sorted(files))}.",
                    f"Correct `verify-workflow` of the job {call.job}.",
                    file=call.file,
                )
            elif name in files - verifying and name != "none" and workflows:
                yield finding(
                    "error",
                    f"{call.file} names the verifying workflow {name}, which runs no gate.",
                    f"After a promotion, stagegate would start {name}, and the moved pin would not be tested.",
                    f"Write one of {', '.join(sorted(verifying)) or 'none'} as `verify-workflow` of the job "
                    f"{call.job}, or delete the line.",
                    file=call.file,
                )


CHECK = DoctorCheck(
    name="workflows",
    looks_at="Workflows that run the gate, pin-guard and commands: their triggers and names",
    cure="Run `stagegate init`, or correct the file.",
    check=check,
)
