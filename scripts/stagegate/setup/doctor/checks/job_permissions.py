"""job-permissions: a job that calls stagegate grants what the called workflow or action needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stagegate.model import Finding
from stagegate.setup.doctor import reusable, workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.reusable import LEVELS, Interface
from stagegate.setup.doctor.workflow_calls import StagegateCall

_READING = frozenset({"plan", "verify"})  # modes of version-bump that write nothing


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for calls whose job grants too little, and for jobs without a list of permissions."""
    for call in workflow_calls.calls(facts):
        interface = reusable.read(call.name)
        if interface is None or _reads_only(call):
            continue
        if call.permissions is not None:
            missing = _missing(call.permissions, interface.permissions)
            if missing:
                yield _lacking(call, interface, missing)
        elif interface.permissions:
            yield from _unlisted(facts, call, interface)


def _reads_only(call: StagegateCall) -> bool:
    return call.name == "version-bump" and str(call.inputs.get("mode")) in _READING


def _missing(granted: Mapping[str, str], needed: Mapping[str, str]) -> dict[str, str]:
    """The permissions that are missing or granted at a lower level."""
    default = granted.get("*", "none")
    return {
        name: level
        for name, level in needed.items()
        if LEVELS[level] > LEVELS.get(granted.get(name, default), 0)
    }


def _lacking(call: StagegateCall, interface: Interface, missing: Mapping[str, str]) -> Finding:
    lines = _lines(missing)
    why = (
        "GitHub does not start a workflow in which a called job requests more permissions than its "
        "caller grants, so no job of this file runs."
        if interface.is_workflow
        else f"GitHub returns 403 for the requests of {call.name}, which then fails with missing-permission."
    )
    return finding(
        "error",
        f"The job {call.job} does not grant {lines} to {call.name}.",
        why,
        f"Add {lines} below `permissions:` of the job {call.job}; docs/permissions.md lists the "
        "permissions of each action.",
        file=call.file,
        line=call.line,
    )


def _unlisted(facts: DoctorFacts, call: StagegateCall, interface: Interface) -> Iterator[Finding]:
    """Findings for a job without a list of permissions, which gets the default of Settings > Actions."""
    setting = facts.hub.workflow_token if facts.hub else None
    if setting is not None and setting.default_workflow_permissions == "write":
        return
    yield finding(
        "warning" if setting is None else "error",
        f"The job {call.job} lists no permissions, but {call.name} needs {_lines(interface.permissions)}.",
        "Without a list, GitHub grants the default permissions of Settings > Actions > General"
        + (
            ", which doctor could not read. In a new repository, the default is to read only."
            if setting is None
            else ": to read."
        ),
        f"Write `permissions:` with {_lines(interface.permissions)} in the job {call.job}.",
        file=call.file,
        line=call.line,
    )


def _lines(permissions: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}: {level}`" for name, level in permissions.items())


CHECK = DoctorCheck(
    name="job-permissions",
    looks_at="Whether each job that calls stagegate has the permissions that the call needs",
    cure="Write the permissions into the job.",
    check=check,
)
