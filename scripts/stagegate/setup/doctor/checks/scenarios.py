"""scenarios: every gate has checks, and may use the variables in them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from stagegate.errors import Stop
from stagegate.gate import placeholders
from stagegate.gate import scenarios as scenario_files
from stagegate.model import Finding
from stagegate.settings import Environment
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Gates without checks, scenario files that are missing or wrong, variables that policy does not list."""
    for config, settings, environment in facts.places:
        gate = environment.gate
        for text in placeholders.refused(gate.variables, None):
            yield finding(
                "error",
                f"The gate of {environment.name} may not use a variable that it lists.",
                f"{text}.",
                f"Correct `variables` of {environment.name} in {config}.",
                file=config,
                environment=environment.name,
            )
        if not gate.scenarios and not gate.command:
            yield finding(
                "warning",
                f"The gate of {environment.name} checks nothing besides the roll-out.",
                "A release that starts but does not work passes it.",
                f"Write `gate: {{scenarios: e2e/{settings.app}.yaml}}` in {config}.",
                file=config,
                environment=environment.name,
            )
            continue
        if not gate.scenarios or settings.source:
            continue  # in a repository of pins the file is elsewhere
        yield from _file(facts, environment, gate.scenarios)


def _file(facts: DoctorFacts, environment: Environment, file: str) -> Iterator[Finding]:
    content = facts.tree.file(file)
    if content is None:
        yield finding(
            "error",
            f"There is no {file}.",
            f"The gate of {environment.name} reads its checks from it.",
            "Add the file; docs/scenarios.md describes it.",
            file=file,
            environment=environment.name,
        )
        return
    try:
        parsed = scenario_files.parse(content, file)
    except Stop as stop:
        yield finding("error", stop.what, stop.why, stop.next, file=file, environment=environment.name)
        return
    used = set(placeholders.variables(msgspec.to_builtins(parsed)))
    missing = sorted(used - set(environment.gate.variables))
    if missing:
        yield finding(
            "error",
            f"{file} uses {', '.join(missing)}, which gate.variables of {environment.name} does not list.",
            "Only listed variables reach a scenario.",
            f"Write `variables: [{', '.join(sorted(used))}]` under its gate.",
            file=file,
            environment=environment.name,
        )
    if environment.argo.source == "http" and not parsed.asks_version:
        yield finding(
            "error",
            f"No check of {file} compares {{version}}.",
            f"{environment.name} has `argocd.source: http`, so the service has to report which version runs.",
            'Add to a check: expect: {json: {version: "{version}"}}.',
            file=file,
            environment=environment.name,
        )


CHECK = DoctorCheck(
    name="scenarios",
    looks_at="What each gate checks: the scenario file, and the variables it uses",
    cure="Correct the scenario file.",
    check=check,
)
