"""Reasons, outcomes and exit codes, and the one exception for trouble that a person can act on.

A reason is a stable word that workflows may compare. This module alone derives outcome and exit code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

Outcome = Literal["done", "nothing-to-do", "waiting", "refused", "failed", "bug"]


class ReasonMeaning(NamedTuple):
    """What a reason means for the caller: the outcome word and the exit code of the process."""

    outcome: Outcome
    exit_code: int


Done = Literal[
    "released", "tagged", "published", "passed", "adopted", "skipped", "proposed", "updated", "committed",
    "merged", "marked", "unmarked", "planned", "verified", "reported",
]  # fmt: skip
NothingToDo = Literal[
    "already-released", "no-release-needed", "already-published", "already-passed", "already-proposed",
    "already-running", "no-difference",
]  # fmt: skip
Waiting = Literal["soaking", "frozen", "window-closed", "awaiting-review", "queued", "canary-paused"]
Refused = Literal[
    "no-evidence", "evidence-mismatch", "evidence-revoked", "out-of-order", "older-version", "held-back",
    "banned-version", "prerelease", "risky-change", "not-authorised", "image-untested", "irreversible",
]  # fmt: skip
Failed = Literal["rollout-failed", "checks-failed", "no-checks", "image-moved", "content-differs", "findings"]
Misused = Literal[
    "bad-input", "bad-settings", "missing-tool", "missing-file", "missing-permission", "protected-branch",
    "wrong-source", "ambiguous-pin", "empty-secret",
]  # fmt: skip
Unreachable = Literal["unreachable", "rate-limited", "server-error", "unknown-state", "token-expired"]
Conflict = Literal["version-taken", "tag-taken", "stale-base", "foreign-commits", "superseded", "not-latest"]
Reason = (
    Done | NothingToDo | Waiting | Refused | Failed | Misused | Unreachable | Conflict
    | Literal["timeout", "bug"]
)  # fmt: skip

_TABLE: tuple[tuple[Outcome, int, object], ...] = (
    ("done", 0, Done),
    ("nothing-to-do", 0, NothingToDo),
    ("waiting", 0, Waiting),
    ("refused", 1, Refused),
    ("failed", 1, Failed),
    ("failed", 2, Misused),
    ("failed", 3, Unreachable),
    ("failed", 4, Conflict),
    ("failed", 5, Literal["timeout"]),
    ("bug", 70, Literal["bug"]),
)

VERDICTS: Mapping[str, ReasonMeaning] = MappingProxyType(
    {reason: ReasonMeaning(outcome, code) for outcome, code, words in _TABLE for reason in get_args(words)}
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
        self.written: tuple[Any, ...] = ()
        self.outputs: dict[str, str] = {}

    def after(self, written: Iterable[Any], **outputs: str) -> Stop:
        """The same, with the changes that were made before it and the outputs that they fill."""
        self.written = (*written, *self.written)
        if self.written:
            self.outputs = {name: text for name, text in outputs.items() if text} | self.outputs
            self.outputs["changed"] = "true"
        return self

    @property
    def verdict(self) -> ReasonMeaning:
        """Outcome and exit code of this reason."""
        return VERDICTS[self.reason]
