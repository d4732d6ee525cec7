"""release-starts: the workflow that releases runs for commits of the release branches, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.argocd_app.sources import mapping
from stagegate.argocd_app.tree import clean
from stagegate.model import Finding
from stagegate.setup.doctor import event_filters, workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.workflow_calls import WorkflowFile

_VERSIONING = ("version.yml", "version-bump")
_PULLS = ("pull_request", "pull_request_target")


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for pull requests, tags, paths, and the start by hand."""
    for workflow in workflow_calls.read(facts):
        releasing = [
            call
            for call in workflow.calls
            if call.name in _VERSIONING and str(call.inputs.get("mode")) not in ("verify", "plan")
        ]
        if not releasing:
            continue
        conditions = " ".join(str(mapping(workflow.jobs.get(call.job)).get("if") or "") for call in releasing)
        for event in _PULLS:
            if event in workflow.triggers and "github.event_name" not in conditions:
                yield finding(
                    "error",
                    f"{workflow.file} makes releases and is started by `{event}`.",
                    "A version is decided and tagged before anybody has merged the change, or version-bump stops "
                    "with an error on each pull request.",
                    f"Delete `{event}` from its `on:`, and build pull requests in a workflow of their own.",
                    file=workflow.file,
                )
        yield from _tags(workflow)
        yield from _paths(facts, workflow)
        yield from _by_hand(workflow)


def _tags(workflow: WorkflowFile) -> Iterator[Finding]:
    push = mapping(workflow.triggers.get("push"))
    if "tags" in push and {"branches", "branches-ignore"} & push.keys():
        yield finding(
            "warning",
            f"{workflow.file} is started by tags as well as by branches.",
            "version-bump makes the tag of a release. With the token of a GitHub App, that starts a second run.",
            "Delete `tags` from `push` in its `on:`.",
            file=workflow.file,
        )


def _paths(facts: DoctorFacts, workflow: WorkflowFile) -> Iterator[Finding]:
    """Findings for parts of an app whose changes start no release."""
    push = mapping(workflow.triggers.get("push"))
    if not {"paths", "paths-ignore"} & push.keys():
        return
    for _, settings in facts.valid:
        parts = {
            "chart": f"{clean(settings.own_chart.path)}/Chart.yaml" if settings.own_chart else "",
            "Dockerfile": next(iter(facts.survey.dockerfiles), ""),
        }
        missing = [
            name
            for name, file in parts.items()
            if file in facts.survey.paths and not event_filters.passes(push, "paths", file)
        ]
        if missing and not settings.source:
            yield finding(
                "warning",
                f"A change of only the {' or the '.join(missing)} of {settings.app} starts no release.",
                f"`paths` or `paths-ignore` of `push` in {workflow.file} leave it out, so such a change waits for "
                "another commit.",
                "Leave out the folders of the pins only, such as `paths-ignore: deploy/**`.",
                file=workflow.file,
            )


def _by_hand(workflow: WorkflowFile) -> Iterator[Finding]:
    dispatch = workflow.triggers.get("workflow_dispatch")
    if "workflow_dispatch" not in workflow.triggers:
        missing = "cannot be started by hand"
    elif "bump" not in mapping(mapping(dispatch).get("inputs")):
        missing = "has no input `bump`"
    else:
        return
    yield finding(
        "note",
        f"{workflow.file} {missing}.",
        "Without it, nobody can request a pre-release, a hotfix or an exact version.",
        "Write `workflow_dispatch: {inputs: {bump: {}}}` in its `on:`.",
        file=workflow.file,
    )


CHECK = DoctorCheck(
    name="release-starts",
    looks_at="What starts the workflow that makes releases: pull requests, tags, paths, people",
    cure="Correct `on:` of the workflow.",
    check=check,
)
