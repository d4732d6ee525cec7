"""scenario-strength: the checks of a gate fail when the service fails."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.errors import Stop
from stagegate.gate import scenarios as scenario_files
from stagegate.gate.scenarios import Expect, Scenarios
from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_FIRST_ERROR = 400  # the lowest HTTP status of an error


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for files without required checks, and for checks that cannot fail."""
    named = {
        environment.gate.scenarios: environment.name
        for _, settings, environment in facts.places
        if environment.gate.scenarios and not settings.source
    }
    for file in named:
        content = facts.tree.file(file)
        try:
            parsed = scenario_files.parse(content, file) if content is not None else None
        except Stop:
            parsed = None  # the check `scenarios` reports it
        if parsed is not None:
            yield from _weak(parsed, file)


def _weak(parsed: Scenarios, file: str) -> Iterator[Finding]:
    required = [one for one in parsed.checks if one.required]
    if not required:
        yield finding(
            "error",
            f"{file} has no check that has to pass.",
            "A release that starts but does not work passes the gate.",
            "Add a check of what the users do first; docs/scenarios.md describes it.",
            file=file,
        )
        return
    for one in required:
        accepted = _statuses(one.expect)
        errors = [str(status) for status in accepted if status >= _FIRST_ERROR]
        if errors and len(errors) < len(accepted):
            yield finding(
                "warning",
                f"The check {one.name} of {file} also accepts the status {', '.join(errors)}.",
                "It passes while the service is broken.",
                f"Delete {', '.join(errors)} from `status`, or split the check into two checks.",
                file=file,
            )
    if all(min(_statuses(one.expect), default=_FIRST_ERROR) >= _FIRST_ERROR for one in required):
        yield finding(
            "warning",
            f"No check of {file} expects that a request succeeds.",
            "Every check expects an error of HTTP, which a server returns also where the service is not there.",
            "Add a check of a page that exists, with `expect: {status: 200}`.",
            file=file,
        )


def _statuses(expect: Expect) -> tuple[int, ...]:
    return (expect.status,) if isinstance(expect.status, int) else expect.status


CHECK = DoctorCheck(
    name="scenario-strength",
    looks_at="Whether the checks of each scenario file can fail when the service does not work",
    cure="Expect one status and a content that only a working service has.",
    check=check,
)
