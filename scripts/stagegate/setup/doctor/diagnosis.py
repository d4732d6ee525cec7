"""Runs every check over the facts, and lists the checks that could not run. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor import registry
from stagegate.setup.doctor.facts import DoctorFacts

_ORDER = {"error": 0, "warning": 1, "note": 2}


def findings(facts: DoctorFacts) -> tuple[Finding, ...]:
    """The findings, the worst first; equal ones once."""
    distinct = dict.fromkeys(_all(facts))
    return tuple(sorted(distinct, key=lambda one: (_ORDER[one.severity], one.rule)))


def not_asked(facts: DoctorFacts) -> dict[str, tuple[str, ...]]:
    """The checks that were not run, by the reason why nobody could be asked."""
    missing: dict[str, list[str]] = {}
    for check in registry.all_checks():
        for need in sorted(check.needs):
            if need in facts.unasked:
                missing.setdefault(facts.unasked[need], []).append(check.name)
    return {why: tuple(names) for why, names in missing.items()}


def _all(facts: DoctorFacts) -> Iterator[Finding]:
    for check in registry.all_checks():
        if not check.needs & facts.unasked.keys():
            yield from check.run(facts)
