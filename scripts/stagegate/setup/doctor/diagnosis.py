"""Runs every check over the facts, and lists the checks that could not run. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor import registry
from stagegate.setup.doctor.facts import DoctorFacts

_ORDER = {"error": 0, "warning": 1, "note": 2}


def findings(facts: DoctorFacts) -> tuple[Finding, ...]:
    """The findings, worst first, without duplicates."""
    distinct = dict.fromkeys(_all(facts))
    return tuple(sorted(distinct, key=lambda finding: (_ORDER[finding.severity], finding.rule)))


def not_checked(facts: DoctorFacts) -> dict[str, tuple[str, ...]]:
    """The checks that could not run, by reason."""
    missing: dict[str, list[str]] = {}
    for check in registry.all_checks():
        for need in sorted(check.needs):
            if need in facts.unread_services:
                missing.setdefault(facts.unread_services[need], []).append(check.name)
    return {why: tuple(names) for why, names in missing.items()}


def _all(facts: DoctorFacts) -> Iterator[Finding]:
    for check in registry.all_checks():
        if not check.needs & facts.unread_services.keys():
            yield from check.run(facts)
