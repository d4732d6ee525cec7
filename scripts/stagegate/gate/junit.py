"""The gate's checks as JUnit XML, for tools that show test results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stagegate.model import Check
from stagegate.runner import log


def write(path: Path, suite: str, checks: Sequence[Check]) -> None:
    """One suite, one case for each check; a check of unknown outcome is an error, never a pass."""
    from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

    results = {"failed": Failure, "skipped": Skipped, "unknown": Error}
    rows = TestSuite(suite)
    for check in checks:
        case = TestCase(check.name, classname=suite, time=check.seconds)
        if check.outcome in results:
            kind = results[check.outcome] if check.required else Skipped
            case.result = [kind(log.redact(check.detail) or check.outcome)]
        rows.add_testcase(case)
    document = JUnitXml()
    document.add_testsuite(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    document.write(str(path))
