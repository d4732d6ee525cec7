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

    `name` is `road.yml`, `events.yml` or the name of an action. `secrets` maps the names it passes on.
    """

    file: str
    job: str
    name: str
    ref: str
    inputs: Mapping[str, Any]
    secrets: tuple[str, ...]


class WorkflowFile(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow: its triggers, and its calls of stagegate. `trouble` where it is no YAML."""

    file: str
    triggers: Mapping[str, Any]
    calls: tuple[StagegateCall, ...]
    trouble: str = ""


def read(facts: DoctorFacts) -> tuple[WorkflowFile, ...]:
    """Every workflow of the work tree."""
    return tuple(_file(facts, workflow.file) for workflow in facts.survey.workflows)


def calls(facts: DoctorFacts) -> tuple[StagegateCall, ...]:
    """Every call of stagegate."""
    return tuple(call for workflow in read(facts) for call in workflow.calls)


def _file(facts: DoctorFacts, file: str) -> WorkflowFile:
    try:
        document = mapping(yaml_1_1.load(facts.tree.file(file) or b""))
    except (yaml.YAMLError, ValueError) as error:
        text = " ".join(str(error).split())
        return WorkflowFile(file=file, triggers={}, calls=(), trouble=text[:200])
    own_calls = tuple(_calls(file, mapping(document.get("jobs"))))
    return WorkflowFile(file=file, triggers=_triggers(document), calls=own_calls)


def _triggers(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """`on:`, which YAML 1.1 reads as the key true."""
    given = document.get("true", document.get("on"))
    if isinstance(given, str):
        return {given: None}
    if isinstance(given, Sequence):
        return {str(one): None for one in given}
    return mapping(given)


def _calls(file: str, jobs: Mapping[str, Any]) -> Iterator[StagegateCall]:
    for name, job in jobs.items():
        whole = mapping(job)
        for one in (whole, *map(mapping, items(whole.get("steps")))):
            match = _CALL.fullmatch(str(one.get("uses") or ""))
            if match is None:
                continue
            secrets = one.get("secrets")
            passed = ("inherit",) if secrets == "inherit" else tuple(mapping(secrets))
            yield StagegateCall(
                file=file,
                job=str(name),
                name=match["path"].rpartition("/")[2],
                ref=f"{match['owner']}/stagegate@{match['ref']}",
                inputs=mapping(one.get("with")),
                secrets=passed,
            )
