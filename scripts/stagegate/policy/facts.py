"""The facts a promotion is judged by: all input that was read, as values. Nothing here reads or writes.

`PromotionFacts` are about the whole app, a `Subject` is one environment's change under judgement. Both can be saved
as JSON, so that a decision can be replayed without a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from stagegate.difference.change import RenderedChange
from stagegate.evidence.records import Record
from stagegate.marks.placed import Placed
from stagegate.model import Actor, Edit, Release, RuleState, Trust
from stagegate.pins.pinned_version import PinnedVersion
from stagegate.settings import Environment, Settings

Kind = Literal["promote", "rollback", "configure"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen fact."""


class Proposal(Value, frozen=True, kw_only=True):
    """The open promotion pull request of this app and environment.

    `foreign` are commits on its branch that are not ours; `approvals` logins of people with write access who
    approved exactly this head and did not write it; `reviews` ids of all approvals that a replacement dismisses;
    `said` is the digest of what its body says; `pushed_at` when its head was pushed, by GitHub's clock, read only
    where a soak asks for it.
    """

    number: int
    node_id: str
    url: str
    branch: str
    head: str
    version: str
    labels: tuple[str, ...] = ()
    title: str = ""
    draft: bool = False
    auto_merge: bool = False
    pushed_at: str = ""
    equal: bool = False
    said: str = ""
    foreign: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    reviews: tuple[int, ...] = ()


class Requirement(Value, frozen=True, kw_only=True):
    """What is known of one entry of `promotion.require`: its status or attestation, and in which state it is."""

    name: str
    state: RuleState
    detail: str


class Carried(Value, frozen=True, kw_only=True):
    """People who approved the pull request with the same version in an earlier environment (`carry-approval`)."""

    environment: str
    people: tuple[str, ...]


class Approvals(Value, frozen=True, kw_only=True):
    """Who approved exactly the head under judgement: logins of people with write access who wrote none of it.

    `carried`: who approved it elsewhere. `merged_by_stagegate`: the pull request is one that stagegate merges
    itself. `contains_others_work`: somebody else added commits to that branch, or moved it. `unvouched`: commits
    and pushes of which nobody knows whose they are. `other_files`: files that stagegate does not merge, because
    they are no pins of the environment.
    """

    people: tuple[str, ...] = ()
    carried: tuple[Carried, ...] = ()
    merged_by_stagegate: bool = False
    contains_others_work: bool = False
    unvouched: tuple[str, ...] = ()
    other_files: tuple[str, ...] = ()


class Subject(RenderedChange, frozen=True, kw_only=True):
    """One environment's change: from the version its pins name to another (or other configuration of it).

    `release_trouble`: it could not be read; `release_absent`: there is no such release. `pins_trouble`: the change
    leaves pins that name no one version; `pins_unknown`: what is deployed need not be what they name.
    `proposed_at`: since when it is proposed, by GitHub's clock; empty where it is not, and where nothing asks for
    it.
    """

    kind: Kind
    version: str
    before: str
    release: Release | None = None
    release_trouble: str = ""
    release_absent: str = ""
    pins_trouble: str = ""
    pins_unknown: str = ""
    proposed_at: str = ""
    edits: tuple[Edit, ...] = ()
    files: Mapping[str, bytes] = {}
    labels: tuple[str, ...] = ()
    approvals: Approvals = Approvals()
    requirements: tuple[Requirement, ...] = ()


class PromotionFacts(Value, frozen=True, kw_only=True):
    """All facts for a decision about one app.

    `accepted`: whose evidence counts. `records`: of each environment, newest first. `tags`: versions that have a
    tag. `policy`: blob of the settings on the default branch. `branch_head`: tip of the promotion branch, empty
    when there is none.
    """

    schema: Literal["stagegate/facts/1"] = "stagegate/facts/1"
    app: str
    environment: str
    requested: str
    mode: str
    pins_repository: str
    app_repository: str
    base: str
    base_head: str
    policy: str
    settings: Settings
    trust: Trust
    accepted: tuple[Actor, ...]
    actions_token: bool = False
    standings: tuple[PinnedVersion, ...] = ()
    tags: tuple[str, ...] = ()
    records: Mapping[str, tuple[Record, ...]] = {}
    marks: tuple[Placed, ...] = ()
    vanished: tuple[str, ...] = ()
    branch: str = ""
    branch_head: str = ""
    branch_equal: bool = False
    foreign: tuple[str, ...] = ()
    proposal: Proposal | None = None
    subject: Subject | None = None
    nothing: str = ""

    def standing(self, environment: str) -> PinnedVersion:
        """The release that an environment's pins name."""
        for standing in self.standings:
            if standing.environment == environment:
                return standing
        return PinnedVersion(environment=environment, trouble="its pins were not read")

    def policy_of(self, environment: str) -> Environment:
        """The settings of an environment; Stop(bad-input) when policy does not name it."""
        return self.settings.environment(environment)
