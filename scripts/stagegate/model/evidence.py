"""What a gate records about a release in an environment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from stagegate.model.release import Chart, Image

EvidenceKind = Literal["rollout", "look", "adopt", "skip"]
CheckOutcome = Literal["passed", "failed", "skipped", "unknown"]
EvidenceOutcome = Literal["passed", "failed", "skipped", "adopted"]
Content = Literal["compared", "not-comparable"]


OWN_CHECKS = ("roll-out", "images", "image-record", "content", "keep-checking")  # those of the gate itself


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check of a gate: `skipped` and `unknown` are never `passed`.

    `stands_for` is how many checks this entry replaces where evidence has no room for each of them.
    """

    name: str
    outcome: CheckOutcome
    required: bool = True
    seconds: float = 0.0
    detail: str = ""
    stands_for: int = 1


def count_tests(checks: Iterable[Check], outcome: str = "") -> int:
    """How many checks there are besides those that every gate makes; with `outcome` only those that ended so."""
    theirs = (check for check in checks if check.name not in OWN_CHECKS)
    return sum(check.stands_for for check in theirs if outcome in ("", check.outcome))


class ApplicationSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The Argo CD Application of a gate, and since when it was healthy (server time)."""

    source: str
    name: str
    revision: str = ""
    healthy_since: str = ""


class WorkflowRun(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow run: id, attempt (from 1) and its address."""

    id: str
    attempt: int = 1
    url: str = ""


class Skip(msgspec.Struct, frozen=True, kw_only=True):
    """The person who skipped a gate, and the reason."""

    reason: str
    actor: str


class PromotedBy(msgspec.Struct, frozen=True, kw_only=True):
    """The people behind a promotion, from the commit that moved the pins.

    `overridden` are the rules that were set aside, with whom and why; `rules` are the rules as they stood.
    """

    commit: str
    proposed_by: str = ""
    approved_by: tuple[str, ...] = ()
    merged_by: str = ""
    overridden: str = ""
    rules: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a gate's verdict, bound to exact digests. At most 16 KiB as JSON.

    `files` is the digest of the pins and of every file that the environment's Applications use, as the gate began.
    `promotion` is who brought it here, where a commit says so.
    `tests` are the checks without the gate's own: every text counts these.
    """

    schema: Literal["stagegate/evidence/1"] = "stagegate/evidence/1"
    kind: EvidenceKind
    app: str
    environment: str
    outcome: EvidenceOutcome
    reason: str
    version: str
    tag: str
    commit: str
    chart: Chart | None
    images: tuple[Image, ...]
    configuration: str = ""
    content: Content = "not-comparable"
    application: ApplicationSeen | None = None
    checks: tuple[Check, ...] = ()
    started: str
    finished: str
    run: WorkflowRun
    actor: str
    policy: str = ""
    files: str = ""
    promotion: PromotedBy | None = None
    skip: Skip | None = None

    @property
    def tests(self) -> int:
        """How many checks were made besides those that every gate makes."""
        return count_tests(self.checks)

    @property
    def tests_passed(self) -> int:
        """How many of these passed."""
        return count_tests(self.checks, "passed")
