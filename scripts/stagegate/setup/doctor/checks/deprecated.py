"""deprecated: no words of earlier versions, which a later version will refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

# The pattern of a deprecated word, the word, and its replacement.
_WORKFLOWS = (
    (re.compile(r"mode:\s*['\"]?watch\b"), "the mode `watch` of staging-gate", "`mode: look`"),
    (re.compile(r"\bE2E_(?:URL|USER|PASSWORD|TOKEN)\b"), "the names E2E_*", "the secret STAGEGATE_VARIABLES"),
)
_SETTINGS = ((re.compile(r"^\s*(?:- )?.*\bmerge-approval:", re.M), "`merge-approval`", "`approvals: n`"),)


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for deprecated words in workflows that use stagegate, and in settings."""
    files = [workflow.file for workflow in facts.survey.workflows if workflow.ours]
    yield from _in(facts, files, _WORKFLOWS)
    yield from _in(facts, [app.config for app in facts.apps], _SETTINGS)


def _in(
    facts: DoctorFacts, files: list[str], words: tuple[tuple[re.Pattern[str], str, str], ...]
) -> Iterator[Finding]:
    for file in files:
        text = (facts.tree.file(file) or b"").decode("utf-8", "replace")
        for mark, old, new in words:
            if mark.search(text):
                yield finding(
                    "warning", f"{file} uses {old}.", "This is deprecated.", f"Write {new}.", file=file
                )


CHECK = DoctorCheck(
    name="deprecated",
    looks_at="Keys and inputs of earlier stagegate versions in settings and workflows",
    cure="Write the name that replaced the old one.",
    check=check,
)
