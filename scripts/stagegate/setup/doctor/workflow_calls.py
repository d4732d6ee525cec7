"""The workflows of the work tree as doctor needs them: which of them call stagegate, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.sources import items, mapping
from stagegate.setup.doctor.facts import DoctorFacts

_CALL = re.compile(
    r"(?P<owner>[\w.-]+)/stagegate/"
    r"(?P<path>actions/[\w-]+|\.github/workflows/[\w-]+\.ya?ml)@(?P<ref>\S.*)"
)


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
    """A workflow: its triggers, its calls of stagegate, and its jobs by name. `trouble` where it is no YAML."""

    file: str
    triggers: Mapping[str, Any]
    calls: tuple[StagegateCall, ...]
    jobs: Mapping[str, Any] = {}
    trouble: str = ""


def read(facts: DoctorFacts) -> tuple[WorkflowFile, ...]:
    """Every workflow of the work tree."""
    return tuple(_file(facts, workflow.file) for workflow in facts.survey.workflows)


def calls(facts: DoctorFacts) -> tuple[StagegateCall, ...]:
    """Every call of stagegate."""
    return tuple(call for workflow in read(facts) for call in workflow.calls)


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
        file=file, triggers=_triggers(document), calls=tuple(_calls(file, document, lines)), jobs=jobs
    )


def _triggers(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """`on:`, which YAML 1.1 reads as the key true."""
    given = document.get("true", document.get("on"))
    if isinstance(given, str):
        return {given: None}
    if isinstance(given, Sequence):
        return {str(one): None for one in given}
    return mapping(given)


def _calls(file: str, document: Mapping[str, Any], lines: Sequence[str]) -> Iterator[StagegateCall]:
    seen: dict[str, int] = {}  # the line of the last `uses:` of each address
    for name, job in mapping(document.get("jobs")).items():
        whole = mapping(job)
        for one in (whole, *map(mapping, items(whole.get("steps")))):
            address = str(one.get("uses") or "")
            match = _CALL.fullmatch(address)
            if match is None:
                continue
            secrets = one.get("secrets")
            passed = ("inherit",) if secrets == "inherit" else tuple(mapping(secrets))
            seen[address] = _line(lines, address, seen.get(address, 0))
            yield StagegateCall(
                file=file,
                line=seen[address],
                job=str(name),
                name=match["path"].rpartition("/")[2],
                ref=f"{match['owner']}/stagegate@{match['ref']}",
                inputs=mapping(one.get("with")),
                secrets=passed,
                permissions=_permissions(whole, document),
            )


def _line(lines: Sequence[str], address: str, after: int) -> int:
    """The number of the next line that contains a text, counted from 1; 0 where there is none."""
    return next((number for number, line in enumerate(lines, 1) if number > after and address in line), 0)


def _permissions(job: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, str] | None:
    """What a job grants: its own list, else that of the file; None where there is neither."""
    for place in (job, document):
        if "permissions" in place:
            given = place["permissions"]
            if isinstance(given, str):
                return {"*": given.removesuffix("-all")}
            return {str(name): str(level) for name, level in mapping(given).items()}
    return None
