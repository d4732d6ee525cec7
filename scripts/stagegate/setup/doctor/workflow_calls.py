"""The workflows of the work tree as doctor needs them: which of them call stagegate, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.sources import items, mapping
from stagegate.setup.doctor import event_filters
from stagegate.setup.doctor.facts import DoctorFacts

_CALL = re.compile(
    r"(?P<owner>[\w.-]+)/stagegate/"
    r"(?P<path>actions/[\w-]+|\.github/workflows/[\w-]+\.ya?ml)@(?P<ref>\S.*)"
)
_OURS = re.compile(r"[\w.-]+/stagegate(?![\w-])")  # the start of an address in the repository of stagegate


class StagegateCall(msgspec.Struct, frozen=True, kw_only=True):
    """One `uses:` of stagegate: the file, its job, what it calls at which revision, its inputs and secrets.

    `name` is `road.yml`, `events.yml` or the name of an action. `secrets` are the names it passes on, `inherit` for
    all. `permissions` are those of its job, None where neither the job nor the file lists any; a level for all is
    under `*`. `line` is that of the `uses:`.
    """

    file: str
    line: int
    job: str
    name: str
    ref: str
    inputs: Mapping[str, Any]
    secrets: tuple[str, ...]
    permissions: Mapping[str, str] | None


class WorkflowFile(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow: its triggers, its calls of stagegate, its jobs by name, and what it says for all of them.

    `odd` are jobs with a `uses:` that names stagegate and is no call. `trouble` where it is no YAML.
    """

    file: str
    triggers: Mapping[str, Any]
    calls: tuple[StagegateCall, ...]
    jobs: Mapping[str, Any] = {}
    concurrency: Any = None
    env: Any = None
    permissions: Any = None
    odd: tuple[tuple[str, str], ...] = ()
    trouble: str = ""


def read(facts: DoctorFacts) -> tuple[WorkflowFile, ...]:
    """Every workflow of the work tree."""
    return tuple(_file(facts, workflow.file) for workflow in facts.survey.workflows)


def calls(facts: DoctorFacts) -> tuple[StagegateCall, ...]:
    """Every call of stagegate."""
    return tuple(call for workflow in read(facts) for call in workflow.calls)


def is_call(address: str) -> str:
    """The name of the workflow or action of stagegate that `uses:` names; empty for any other address."""
    match = _CALL.fullmatch(address)
    return match["path"].rpartition("/")[2] if match else ""


def default_branch(facts: DoctorFacts) -> str:
    """As GitHub has it, else as the clone knows it."""
    return facts.hub.settings.default_branch if facts.hub else facts.survey.branch


def started_on(workflow: WorkflowFile, branch: str) -> bool:
    """Whether a push to a branch starts a workflow, as far as `branches` tell."""
    push = mapping(workflow.triggers.get("push"))
    only_tags = {"tags", "tags-ignore"} & push.keys() and not {"branches", "branches-ignore"} & push.keys()
    return "push" in workflow.triggers and not only_tags and event_filters.passes(push, "branches", branch)


def _file(facts: DoctorFacts, file: str) -> WorkflowFile:
    content = facts.tree.file(file) or b""
    try:
        document = mapping(yaml_1_1.load(content))
    except (yaml.YAMLError, ValueError) as error:
        text = " ".join(str(error).split())
        return WorkflowFile(file=file, triggers={}, calls=(), trouble=text[:200])
    jobs = mapping(document.get("jobs"))
    lines = content.decode("utf-8", "replace").splitlines()
    return WorkflowFile(
        file=file,
        triggers=_triggers(document),
        calls=tuple(_calls(file, document, lines)),
        jobs=jobs,
        concurrency=document.get("concurrency"),
        env=document.get("env"),
        permissions=document.get("permissions"),
        odd=tuple(_odd(jobs)),
    )


def _triggers(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """`on:`, which YAML 1.1 reads as the key true."""
    triggers = document.get("true", document.get("on"))
    if isinstance(triggers, str):
        return {triggers: None}
    if isinstance(triggers, Sequence):
        return {str(trigger): None for trigger in triggers}
    return mapping(triggers)


def _calls(file: str, document: Mapping[str, Any], lines: Sequence[str]) -> Iterator[StagegateCall]:
    last_lines: dict[str, int] = {}  # the line of the last `uses:` of each address
    for name, job in mapping(document.get("jobs")).items():
        definition = mapping(job)
        for entry in (definition, *map(mapping, items(definition.get("steps")))):
            address = str(entry.get("uses") or "")
            match = _CALL.fullmatch(address)
            if match is None:
                continue
            secrets = entry.get("secrets")
            passed = ("inherit",) if secrets == "inherit" else tuple(mapping(secrets))
            last_lines[address] = _line(lines, address, last_lines.get(address, 0))
            yield StagegateCall(
                file=file,
                line=last_lines[address],
                job=str(name),
                name=match["path"].rpartition("/")[2],
                ref=f"{match['owner']}/stagegate@{match['ref']}",
                inputs=mapping(entry.get("with")),
                secrets=passed,
                permissions=granted(definition, document),
            )


def _odd(jobs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Jobs with an address that GitHub cannot call: a workflow as a step, an action as a job, or neither."""
    for name, job in jobs.items():
        definition = mapping(job)
        for entry in (definition, *map(mapping, items(definition.get("steps")))):
            address = str(entry.get("uses") or "")
            if not _OURS.match(address):
                continue
            match = _CALL.fullmatch(address)
            is_workflow = match is not None and match["path"].startswith(".github/")
            front_door = (
                _OURS.fullmatch(address.partition("@")[0]) and "@" in address
            )  # acme/stagegate@v1.0.0
            if not (front_door if match is None else True) or is_workflow != (entry is definition):
                yield str(name), address


def _line(lines: Sequence[str], address: str, after: int) -> int:
    """The number of the next line that contains a text, counted from 1; 0 where there is none."""
    return next((number for number, line in enumerate(lines, 1) if number > after and address in line), 0)


def granted(job: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, str] | None:
    """What a job grants: its own list, else that of the file; None where there is neither."""
    for place in (job, document):
        if "permissions" in place:
            permissions = place["permissions"]
            if isinstance(permissions, str):
                return {"*": permissions.removesuffix("-all")}
            return {str(name): str(level) for name, level in mapping(permissions).items()}
    return None
