"""Reasons, outcomes and exit codes, and the one exception for people's and the world's trouble.

A reason is a stable word that workflows may compare. Outcome and exit code follow from it, only here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Outcome = Literal["done", "nothing-to-do", "waiting", "refused", "failed", "bug"]


class Verdict(NamedTuple):
    """What a reason means for the caller: the outcome word and the exit code of the process."""

    outcome: Outcome
    exit_code: int


_TABLE: tuple[tuple[Outcome, int, str], ...] = (
    (
        "done",
        0,
        "released tagged published passed adopted skipped proposed updated committed merged marked unmarked",
    ),
    ("done", 0, "planned verified reported"),
    (
        "nothing-to-do",
        0,
        "already-released no-release-needed already-published already-passed already-proposed",
    ),
    ("nothing-to-do", 0, "already-running no-difference"),
    ("waiting", 0, "soaking frozen window-closed awaiting-review queued"),
    ("refused", 1, "no-evidence evidence-mismatch evidence-revoked out-of-order older-version held-back"),
    ("refused", 1, "banned-version prerelease risky-change not-authorised image-untested irreversible"),
    ("failed", 1, "rollout-failed checks-failed no-checks image-moved content-differs findings"),
    ("failed", 2, "bad-input bad-settings missing-tool missing-file missing-permission protected-branch"),
    ("failed", 2, "wrong-source ambiguous-pin empty-secret"),
    ("failed", 3, "unreachable rate-limited server-error unknown-state token-expired"),
    ("failed", 4, "version-taken tag-taken stale-base foreign-commits superseded not-latest"),
    ("failed", 5, "timeout"),
    ("bug", 70, "bug"),
)

VERDICTS: Mapping[str, Verdict] = MappingProxyType(
    {reason: Verdict(outcome, code) for outcome, code, reasons in _TABLE for reason in reasons.split()}
)


class Stop(Exception):
    """Work ends here for a reason a person can act on.

    `what` happened, `why`, and what to do `next`, each one sentence; `file` (relative to the workspace) and
    `line` (from 1) where there is a place to point at. Outcome and exit code follow from `reason`.
    """

    def __init__(
        self,
        reason: str,
        what: str,
        why: str,
        next: str,
        file: str | None = None,
        line: int | None = None,
    ) -> None:
        if reason not in VERDICTS:
            raise ValueError(f"unknown reason {reason!r}")
        super().__init__(f"{what} {why} {next}")
        self.reason = reason
        self.what = what
        self.why = why
        self.next = next
        self.file = file
        self.line = line

    @property
    def verdict(self) -> Verdict:
        """Outcome and exit code of this reason."""
        return VERDICTS[self.reason]
