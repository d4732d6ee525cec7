"""The type of doctor's checks. `doctor/checks/<name>.py` defines each check as one value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from stagegate.model import Finding, Severity
from stagegate.setup.doctor.facts import DoctorFacts

Needs = Literal["github", "registry", "argocd"]


class DoctorCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check of doctor.

    `name` is its word in reports, `looks_at` what it looks at, in one line, `cure` what usually helps. `check` is
    pure: an `error` will break something, a `warning` may, a `note` is worth knowing. `needs` is what has to be
    asked for it; where that could not be asked, the check is not run and doctor says so.
    """

    name: str
    looks_at: str
    cure: str
    check: Callable[[DoctorFacts], Iterator[Finding]]
    needs: frozenset[Needs] = frozenset()

    def run(self, facts: DoctorFacts) -> Iterator[Finding]:
        """The findings of the check with its name; a finding without a fix gets the cure."""
        for finding in self.check(facts):
            yield msgspec.structs.replace(finding, rule=self.name, fix=finding.fix or self.cure)


def finding(
    severity: Severity,
    message: str,
    why: str = "",
    fix: str = "",
    *,
    file: str = "",
    line: int = 0,
    environment: str = "",
) -> Finding:
    """A finding; `run` adds the check's name."""
    return Finding(
        rule="",
        severity=severity,
        message=message,
        why=why,
        fix=fix,
        file=file,
        line=line,
        environment=environment,
    )
