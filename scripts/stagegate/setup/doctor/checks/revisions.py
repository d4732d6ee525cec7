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
                f"{ref} is the address of an example.",
                "GitHub starts no workflow that calls a repository or revision that does not exist.",
                "In every `uses:`, name the stagegate version that you use, as owner/stagegate@<40 hex> # vX.Y.Z.",
                file=file,
            )
    if len(refs) > 1:
        yield finding(
            "warning",
            f"The workflows call stagegate at {len(refs)} revisions: {', '.join(refs)}.",
            "One revision reads the records of another, and an older one may not understand what a "
            "newer one writes.",
            f"Write {refs[-1]} everywhere.",
        )
    for ref in refs:
        if not _FIXED.search(ref):
            yield finding(
                "warning",
                f"{ref} can change without a commit of yours.",
                "A branch runs whatever is pushed to it, with the permissions of your jobs.",
                "Write the full commit and the version: @<40 hex> # vX.Y.Z.",
                file=files[ref],
            )


CHECK = DoctorCheck(
    name="revisions",
    looks_at="The stagegate that workflows call: its address, and one fixed revision",
    cure="Write one address with a full commit in every `uses:`.",
    check=check,
)
