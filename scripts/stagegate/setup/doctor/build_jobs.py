"""The jobs of the user that build a release: which they are, and what their YAML tells. Nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from stagegate.argocd_app.sources import items, mapping
from stagegate.setup.doctor import expressions, workflow_calls
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.workflow_calls import StagegateCall, WorkflowFile

_VERSIONING = ("version.yml", "version-bump")
_READING = ("verify", "plan")
_NAME = re.compile(r"\s*(?:type=image,)?(?:name=)?([\w./:-]+?)(?::[^/\s]*)?(?:,.*)?\s*")
TOKEN = re.compile(r"\bgithub\.token\b|\bsecrets\.GITHUB_TOKEN\b")


class BuildJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job whose outputs a call of stagegate takes as `digests`.

    `version` is the job before it that decides the version. `taken` are its outputs that `digests` is made of.
    """

    workflow: WorkflowFile
    name: str
    job: Mapping[str, Any]
    version: str
    call: StagegateCall
    taken: tuple[str, ...]

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """Its steps; none for a job that calls a workflow."""
        return [mapping(step) for step in items(self.job.get("steps"))]

    @property
    def permissions(self) -> Mapping[str, str] | None:
        """What it grants its token; None where nothing is listed."""
        for_workflow = {} if self.workflow.permissions is None else {"permissions": self.workflow.permissions}
        return workflow_calls.granted(self.job, for_workflow)

    def step(self, name: str) -> Mapping[str, Any]:
        """The step with an id, empty where there is none."""
        return next((step for step in self.steps if step.get("id") == name), {})

    def using(self, action: str) -> list[Mapping[str, Any]]:
        """The steps that run an action, such as `actions/checkout`."""
        return [step for step in self.steps if str(step.get("uses") or "").partition("@")[0] == action]


def read(facts: DoctorFacts) -> tuple[BuildJob, ...]:
    """The build jobs of every workflow that also decides the version."""
    return tuple(build for workflow in workflow_calls.read(facts) for build in _of(workflow))


def _of(workflow: WorkflowFile) -> Iterator[BuildJob]:
    versioning = [
        call.job
        for call in workflow.calls
        if call.name in _VERSIONING and str(call.inputs.get("mode")) not in _READING
    ]
    if not versioning:
        return
    jobs: dict[str, BuildJob] = {}
    for call in workflow.calls:
        outputs: dict[str, list[str]] = {}
        for taken in expressions.of_jobs(call.inputs.get("digests")):
            outputs.setdefault(taken.owner, []).append(taken.output)
        for name, taken_outputs in outputs.items():
            if name in workflow.jobs and name not in (*versioning, *jobs):
                jobs[name] = BuildJob(
                    workflow=workflow,
                    name=name,
                    job=mapping(workflow.jobs[name]),
                    version=versioning[0],
                    call=call,
                    taken=tuple(taken_outputs),
                )
    yield from jobs.values()


def images(facts: DoctorFacts) -> dict[str, str]:
    """The images that are built here, each with the settings file that lists it."""
    return {
        image: config for config, settings in facts.valid if not settings.source for image in settings.images
    }


def pushed(build: BuildJob, step: Mapping[str, Any], repository: str) -> tuple[set[str], bool]:
    """The images that a step of docker/build-push-action names, and whether those are all.

    Names come from its `tags` and `outputs`, and from the `images` of a docker/metadata-action that it takes its
    tags from.
    """
    inputs = mapping(step.get("with"))
    names: set[str] = set()
    all_known = True
    for line in _lines(inputs.get("tags")):
        source = next(expressions.of_steps(line), None)
        if source and build.step(source.owner).get("uses", "").startswith("docker/metadata-action@"):
            texts = _lines(mapping(build.step(source.owner).get("with")).get("images"))
        else:
            texts = [line]
        for text in texts:
            match = _NAME.fullmatch(re.sub(r":[^/]*$", "", resolved(text, repository).strip()))
            names |= {match[1]} if match else set()
            all_known &= match is not None
    return names, all_known


def resolved(text: str, repository: str) -> str:
    """A text with the expressions filled in that mean the repository or its owner."""
    values = {"github.repository": repository, "github.repository_owner": repository.partition("/")[0]}
    return re.sub(r"\$\{\{\s*([\w.]+)\s*\}\}", lambda match: values.get(match[1]) or match[0], text)


def _lines(value: object) -> list[str]:
    listed = value if isinstance(value, list | tuple) else re.split(r"[\n,]", str(value or ""))
    return [str(line).strip() for line in listed if str(line).strip()]


def texts(value: Any) -> Iterator[str]:
    """Every text of a part of a workflow."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
