"""revisions: every workflow calls one stagegate, at a revision that exists and cannot change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor import workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_EXAMPLE = "acme/"  # owner of the examples
_PLACEHOLDER = re.compile(r"^OWNER/|@REF$|[<>]")  # of the documentation
_FIXED = re.compile(r"@(?:[0-9a-f]{40}|v\d+\.\d+\.\d+\S*)$")


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for addresses of the documentation, for several revisions, and for revisions that can change."""
    files = {call.ref: call.file for call in reversed(workflow_calls.calls(facts))}
    refs = sorted(ref for ref in files if not _PLACEHOLDER.search(ref))
    for ref, file in files.items():
        if ref not in refs or ref.startswith(_EXAMPLE):
            yield finding(
                "warning" if ref in refs else "error",
                f"{ref} is the address in the examples, not the address of your stagegate.",
                "GitHub does not start a workflow that calls a repository or revision that does not exist.",
                "In every `uses:`, name the stagegate version that you use, as owner/stagegate@<40 hex> # vX.Y.Z.",
                file=file,
            )
    if len(refs) > 1:
        yield finding(
            "warning",
            f"The workflows call stagegate at {len(refs)} revisions: {', '.join(refs)}.",
            "An older revision may not be able to read the records that a newer revision writes.",
            f"Write {refs[-1]} in every workflow.",
        )
    for ref in refs:
        if not _FIXED.search(ref):
            yield finding(
                "warning",
                f"{ref} can change without a commit in your repository.",
                "If you call a branch, GitHub runs every commit that is pushed to it, with the "
                "permissions of your jobs.",
                "Write the full commit and the version: @<40 hex> # vX.Y.Z.",
                file=files[ref],
            )


CHECK = DoctorCheck(
    name="revisions",
    looks_at="The stagegate repository that workflows call: its address, and one fixed revision",
    cure="Write the same address with a full commit in every `uses:`.",
    check=check,
)
