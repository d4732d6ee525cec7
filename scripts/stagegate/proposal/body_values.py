"""The values that a pull request's body is written from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from stagegate.difference import Difference
from stagegate.difference.change import RiskSeen
from stagegate.model import Edit, Evidence, Release, RuleResult, Trust
from stagegate.pins.pinned_version import PinnedVersion
from stagegate.policy.facts import Kind

_TYPE = re.compile(r"^[A-Za-z][\w-]*(?:\(([^()]*)\))?!?: +")
_PULL = re.compile(r"\(#(\d+)\)\s*$|^Merge pull request #(\d+) ")
CommitKind = Literal["breaking", "feature", "fix", "change", "other"]
HEADINGS: Mapping[CommitKind, str] = {
    "breaking": "Breaking changes",
    "feature": "Features",
    "fix": "Fixes",
    "change": "Changes",
    "other": "Other commits",
}


class CommitLine(msgspec.Struct, frozen=True, kw_only=True):
    """A commit between the two versions: its SHA, the first line of its message, its author's login, its kind."""

    sha: str
    subject: str
    author: str = ""
    kind: CommitKind = "other"
    known_pull: str = ""

    @property
    def pull(self) -> str:
        """The number of the pull request that brought it: as GitHub knows it, else as the subject says."""
        match = _PULL.search(self.subject)
        return self.known_pull or ((match[1] or match[2]) if match else "")

    @property
    def words(self) -> str:
        """The subject without what stands beside it: the pull request, and a type that its heading names."""
        words = _PULL.sub("", self.subject).strip() or self.subject
        return (
            words
            if self.kind == "other"
            else _TYPE.sub(lambda found: f"{found[1]}: " if found[1] else "", words)
        )


class EvidenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of an environment's gate, and its time (RFC 3339). None: there is no verdict."""

    environment: str
    state: str
    since: str = ""
    evidence: Evidence | None = None


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a release: `tagged`, `built`, `published`, or an environment with the verdict of its gate."""

    where: str
    at: str
    state: str = ""
    url: str = ""


class ReleaseRoad(msgspec.Struct, frozen=True, kw_only=True):
    """A release between the two versions: the SHAs of the commits that it brought, and where it has been."""

    version: str
    url: str
    commits: tuple[str, ...]
    passages: tuple[Passage, ...]

    def passage(self, where: str) -> Passage | None:
        """Its step of that name."""
        return next((one for one in self.passages if one.where == where), None)


class BodyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the body says. `now` is when it was judged; `labels` are those the pull request has already;
    `commits_total` counts also those that are not listed; `back_to` is the release a rollback would choose.

    `approvals_missing`: how many people still have to approve. `after_of`: the environments before each one.
    `pins_diff`: the edit of the pins as a unified diff. `code_url`: where people look at the app repository.
    """

    app: str
    environment: str
    kind: Kind = "promote"
    before: str
    after: str
    release: Release | None = None
    trust: Trust
    now: str
    rules: tuple[RuleResult, ...] = ()
    risks: tuple[RiskSeen, ...] = ()
    labels: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    pins_diff: str = ""
    difference: Difference | None = None
    not_rendered: str = ""
    proofs: tuple[EvidenceRow, ...] = ()
    standings: tuple[PinnedVersion, ...] = ()
    commits: tuple[CommitLine, ...] = ()
    commits_total: int = 0
    roads: tuple[ReleaseRoad, ...] = ()
    back_to: str = ""
    approvals_missing: int = 0
    after_of: Mapping[str, tuple[str, ...]] = {}
    code_url: str = ""
    compare_url: str = ""
    run_url: str = ""

    def release_of(self, sha: str) -> ReleaseRoad | None:
        """The release that brought a commit, where several releases are on the way."""
        return (
            next((road for road in self.roads if sha in road.commits), None) if len(self.roads) > 1 else None
        )
