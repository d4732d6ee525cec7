"""Writes the findings as files: JUnit for test reports, SARIF 2.1.0 for code scanning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from stagegate.chart.check.plan import ChartFacts, Checked, environments_of, fails
from stagegate.chart.rules import all_rules
from stagegate.errors import Stop
from stagegate.model import Change, Finding, to_json
from stagegate.runner import log
from stagegate.runner.context import Context

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_NOT_RENDERED = frozenset(("chart-lint", "values-schema", "values-file-packaged"))
_SKIPPING = frozenset(
    ("chart-lint", "image-follows-tag", "value-follows")
)  # their notes report skipped checks


class ReportFile(NamedTuple):
    """A file to write: its kind, its path, and its name in messages."""

    kind: str
    path: Path
    name: str


def report_files(context: Context, *, junit: str, sarif: str) -> tuple[ReportFile, ...]:
    """The files that the inputs name, all inside the workspace. Stop(bad-input)."""
    named = (("junit", junit), ("sarif", sarif))
    return tuple(ReportFile(kind, _place(context, kind, name), name) for kind, name in named if name)


def _place(context: Context, kind: str, name: str) -> Path:
    place = context.inside(name, what=kind)
    if place.is_dir() or any(above.is_file() for above in place.parents):
        why = "It is a folder." if place.is_dir() else "A part of the path is a file."
        raise Stop("bad-input", f"{kind} is {name!r}.", why, "Choose a file that stagegate can write to.")
    return place


def write(
    facts: ChartFacts, checked: Checked, files: Sequence[ReportFile], *, dry_run: bool
) -> tuple[Change, ...]:
    """Write the requested files; a dry run only lists them."""
    for file in files if not dry_run else ():
        file.path.parent.mkdir(parents=True, exist_ok=True)
        if file.kind == "sarif":
            file.path.write_bytes(to_json(sarif(checked)))
        else:
            _junit(file.path, facts, checked)
    return tuple(Change(kind=file.kind, target=file.name, done=not dry_run) for file in files)


def sarif(checked: Checked) -> Mapping[str, object]:
    """One SARIF run; silenced findings are suppressed results, so that they stay visible."""
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.about},
            "fullDescription": {"text": f"{rule.why} {rule.details}".strip()},
            "help": {"text": rule.fix},
            "defaultConfiguration": {"level": rule.severity},
        }
        for rule in all_rules()
    ]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "stagegate chart-check", "rules": rules}},
                "results": [_sarif_result(finding) for finding in checked.findings],
            }
        ],
    }


def _sarif_result(finding: Finding) -> dict[str, object]:
    where = f" ({finding.environment})" if finding.environment else ""
    place: dict[str, object] = {"artifactLocation": {"uri": quote(finding.file)}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    entry: dict[str, object] = {
        "ruleId": finding.rule,
        "level": finding.severity,
        "message": {"text": log.redact(f"{finding.message}{where} {finding.why} {finding.fix}".strip())},
        "locations": [{"physicalLocation": place}],
    }
    if finding.silenced:
        entry["suppressions"] = [{"kind": "external", "justification": log.redact(finding.silenced)}]
    return entry


def _junit(path: Path, facts: ChartFacts, checked: Checked) -> None:
    """Write a suite for each environment with a case for each rule. Without a rendering a case is an error (I2)."""
    from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

    document = JUnitXml()
    environments = [rendered.environment for rendered in facts.chart.rendered]
    environments += [name for finding in checked.findings for name in environments_of(finding)]
    for environment in dict.fromkeys(environments):
        name = environment or "chart"
        suite = TestSuite(name)
        for rule in all_rules():
            case = TestCase(rule.id, classname=name)
            failures = [
                f for f in checked.findings if f.rule == rule.id and environment in environments_of(f)
            ]
            failing = [_line(f) for f in failures if fails(f, facts.chart.checks)]
            if failing:
                case.result = [Failure(line) for line in failing]
            elif rule.check and rule.id not in _NOT_RENDERED and environment in checked.unknown:
                case.result = [
                    Error(
                        "The chart does not render for this environment, so this rule could not be checked."
                    )
                ]
            elif any(f.silenced for f in failures):
                case.result = [Skipped("; ".join(f"silenced: {f.silenced}" for f in failures if f.silenced))]
            elif rule.id in _SKIPPING and any(f.severity == "note" for f in failures):
                case.result = [Skipped("; ".join(_line(f) for f in failures))]
            suite.add_testcase(case)
        document.add_testsuite(suite)
    document.write(str(path))


def _line(finding: Finding) -> str:
    return log.redact(f"{finding.file}: {finding.message} {finding.fix}")
