"""Reads the interfaces of stagegate's own workflows and actions: inputs, secrets, permissions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from stagegate import yaml_1_1
from stagegate.argocd_app.sources import mapping
from stagegate.runner import definitions

LEVELS = {"none": 0, "read": 1, "write": 2}

# The permissions that every use of an action needs. A test compares them with docs/permissions.md.
_LEAST: Mapping[str, Mapping[str, str]] = {
    "version-bump": {"contents": "write"},
    "announce": {"contents": "read"},
    "environments": {"contents": "read"},
    "image-tags": {"contents": "read", "packages": "write"},
    "chart-check": {"contents": "read", "packages": "read"},
    "helm-publish": {"contents": "read", "packages": "write"},
    "record": {"contents": "read", "packages": "read", "deployments": "write"},
    "promote-pr": {"contents": "write", "packages": "read", "deployments": "read"},
    "pr-command": {
        "contents": "write",
        "packages": "read",
        "statuses": "write",
        "deployments": "write",
        "pull-requests": "write",
        "issues": "write",
        "actions": "write",
    },
    "pin-guard": {
        "contents": "read",
        "packages": "read",
        "statuses": "write",
        "deployments": "read",
        "pull-requests": "write",
    },
    "staging-gate": {"contents": "read", "packages": "read", "deployments": "write"},
    "status-report": {
        "contents": "read",
        "statuses": "read",
        "deployments": "read",
        "pull-requests": "read",
    },
    "publish-release": {"contents": "write", "packages": "read", "statuses": "read", "deployments": "read"},
}


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """The interface of a workflow or action. `inputs` maps each input to whether it is required.

    `permissions` are what the job that calls it has to grant at least. An action takes no `secrets`.
    """

    name: str
    inputs: Mapping[str, bool]
    secrets: tuple[str, ...] = ()
    permissions: Mapping[str, str] = {}
    outputs: tuple[str, ...] = ()

    @property
    def is_workflow(self) -> bool:
        """Whether it is a reusable workflow, which GitHub does not start if a call does not match it."""
        return self.name.endswith((".yml", ".yaml"))


@cache
def read(name: str) -> Interface | None:
    """The interface of `road.yml` or `promote-pr`; None where this version has none of that name."""
    if name.endswith((".yml", ".yaml")):
        return _workflow(name)
    if name not in definitions.names():
        return None
    defined = definitions.read(name)
    return Interface(
        name=name,
        inputs=_required(defined.inputs),
        permissions=_LEAST.get(name, {}),
        outputs=tuple(defined.outputs),
    )


@cache
def names() -> tuple[str, ...]:
    """Every action, and every workflow that can be called."""
    workflows = sorted(file.name for file in definitions.WORKFLOWS.glob("*.yml") if _workflow(file.name))
    return (*definitions.names(), *workflows)


def strongest(jobs: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Each permission of several jobs at its highest level."""
    highest: dict[str, str] = {}
    for permissions in jobs.values():
        for name, level in permissions.items():
            if LEVELS.get(level, 0) > LEVELS[highest.get(name, "none")]:
                highest[name] = level
    return highest


def _workflow(name: str) -> Interface | None:
    file = definitions.WORKFLOWS / name
    document = mapping(yaml_1_1.load(file.read_bytes())) if file.is_file() else {}
    call = mapping(mapping(document.get("true", document.get("on"))).get("workflow_call"))
    if not call:
        return None
    jobs = {
        str(job): mapping(mapping(definition).get("permissions"))
        for job, definition in mapping(document["jobs"]).items()
    }
    return Interface(
        name=name,
        inputs=_required(mapping(call.get("inputs"))),
        secrets=tuple(mapping(call.get("secrets"))),
        permissions=strongest(jobs),
        outputs=tuple(mapping(call.get("outputs"))),
    )


def _required(inputs: Mapping[str, object]) -> dict[str, bool]:
    return {name: mapping(definition).get("required") is True for name, definition in inputs.items()}
