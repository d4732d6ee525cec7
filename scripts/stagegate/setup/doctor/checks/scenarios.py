"""scenarios: every gate has checks, and may use the variables in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from stagegate.errors import Stop
from stagegate.gate import placeholders
from stagegate.gate import scenarios as scenario_files
from stagegate.model import Finding, Severity
from stagegate.settings import Environment
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for gates without checks, for missing or wrong scenario files, and for unlisted variables."""
    files: dict[str, list[Environment]] = {}
    for config, settings, environment in facts.places:
        gate = environment.gate
        for text in placeholders.refused(gate.variables, None):
            yield finding(
                "error",
                f"The gate of {environment.name} lists a variable that scenarios may not use.",
                f"{text}.",
                f"Correct `variables` of {environment.name} in {config}.",
                file=config,
                environment=environment.name,
            )
        if not gate.scenarios and not gate.command:
            yield finding(
                "warning",
                f"The gate of {environment.name} checks only the roll-out.",
                "A release that starts but does not work passes this gate.",
                f"Write `gate: {{scenarios: e2e/{settings.app}.yaml}}` in {config}.",
                file=config,
                environment=environment.name,
            )
            continue
        if not gate.scenarios or settings.source:
            continue  # in a repository of pins the file is elsewhere
        files.setdefault(gate.scenarios, []).append(environment)
    for file, environments in files.items():
        yield from _file(facts, environments, file)


def _file(facts: DoctorFacts, environments: Sequence[Environment], file: str) -> Iterator[Finding]:
    """Findings for one scenario file and all gates that read it."""
    content = facts.tree.file(file)
    if content is None:
        yield _finding(
            "error",
            environments,
            f"There is no {file}.",
            f"{_gates(environments)} its checks from it.",
            "Add the file; docs/scenarios.md describes scenario files.",
            file,
        )
        return
    try:
        parsed = scenario_files.parse(content, file)
    except Stop as stop:
        yield _finding("error", environments, stop.what, stop.why, stop.next, file)
        return
    used = set(placeholders.variables(msgspec.to_builtins(parsed)))
    yield from _unlisted(environments, file, used)
    yield from _unused(environments, file, used)
    blind = [environment for environment in environments if environment.argo.source == "http"]
    if blind and not parsed.asks_version:
        verb = "has" if len(blind) == 1 else "have"
        yield _finding(
            "error",
            blind,
            f"No check of {file} compares {{version}}.",
            f"{_names(blind)} {verb} `argocd.source: http`, so the service has to report which version runs.",
            'Add to a check: expect: {json: {version: "{version}"}}.',
            file,
        )


def _unlisted(environments: Sequence[Environment], file: str, used: set[str]) -> Iterator[Finding]:
    """Findings for variables that a file uses and gates do not list."""
    for missing, group in _grouped(environments, lambda environment: used - set(environment.gate.variables)):
        yield _finding(
            "error",
            group,
            f"{file} uses {', '.join(missing)}, which gate.variables of {_names(group)} does not list.",
            "stagegate passes only listed variables to a scenario.",
            f"Write `variables: [{', '.join(sorted(used))}]` under `gate` of the environment.",
            file,
        )


def _unused(environments: Sequence[Environment], file: str, used: set[str]) -> Iterator[Finding]:
    """Findings for variables that gates list and the file does not use. A program of `command` may use them."""
    checked = [environment for environment in environments if not environment.gate.command]
    for spare, group in _grouped(checked, lambda environment: set(environment.gate.variables) - used):
        yield _finding(
            "note",
            group,
            f"gate.variables of {_names(group)} lists {', '.join(spare)}, but {file} does not use it.",
            "A later change of the scenario file could therefore use a secret that no check needs.",
            f"Delete {', '.join(spare)} from `variables`, or use ${{{spare[0]}}} in the scenario file.",
            file,
        )


def _grouped(
    environments: Sequence[Environment], names: Callable[[Environment], set[str]]
) -> Iterator[tuple[tuple[str, ...], list[Environment]]]:
    """The environments by their wrong variables, without environments that have none."""
    groups: dict[tuple[str, ...], list[Environment]] = {}
    for environment in environments:
        groups.setdefault(tuple(sorted(names(environment))), []).append(environment)
    yield from ((variables, group) for variables, group in groups.items() if variables)


def _gates(environments: Sequence[Environment]) -> str:
    several = len({environment.name for environment in environments}) > 1
    return f"The {'gates' if several else 'gate'} of {_names(environments)} {'read' if several else 'reads'}"


def _names(environments: Sequence[Environment]) -> str:
    return " and ".join(dict.fromkeys(environment.name for environment in environments))


def _finding(
    severity: Severity, environments: Sequence[Environment], message: str, why: str, fix: str, file: str
) -> Finding:
    names = {environment.name for environment in environments}
    return finding(severity, message, why, fix, file=file, environment=names.pop() if len(names) == 1 else "")


CHECK = DoctorCheck(
    name="scenarios",
    looks_at="The checks of each gate: the scenario file, and the variables that it uses",
    cure="Correct the scenario file.",
    check=check,
)
