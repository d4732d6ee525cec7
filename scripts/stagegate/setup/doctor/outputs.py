"""The outputs that a job or a step has, as far as the work tree and stagegate's own definitions tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.sources import mapping
from stagegate.setup.doctor import reusable, workflow_calls
from stagegate.setup.doctor.facts import DoctorFacts


def of_job(facts: DoctorFacts, job: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The outputs of a job; None for one that calls a workflow of another repository, which is not read."""
    address = str(job.get("uses") or "")
    if not address:
        return tuple(map(str, mapping(job.get("outputs"))))
    name = workflow_calls.is_call(address)
    if name:
        interface = reusable.read(name)
        return interface.outputs if interface else None
    content = facts.tree.file(address.removeprefix("./")) if address.startswith("./") else None
    if content is None:
        return None
    try:
        document = mapping(yaml_1_1.load(content))
    except (yaml.YAMLError, ValueError):
        return None
    call = mapping(mapping(document.get("true", document.get("on"))).get("workflow_call"))
    return tuple(map(str, mapping(call.get("outputs"))))


def of_step(step: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The outputs of a step that runs an action of stagegate; None for any other, which writes what it likes."""
    name = workflow_calls.is_call(str(step.get("uses") or ""))
    interface = reusable.read(name) if name else None
    return interface.outputs if interface else None
