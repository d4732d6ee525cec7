"""What a promotion is judged by: everything that was read, as values. Nothing here reads or writes.

`Facts` hold for the whole app, a `Subject` is one environment's change under judgement. Both survive JSON, so
that a decision can be replayed without a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from stagegate.evidence.records import Record
from stagegate.model import Actor, Edit, Mark, Release, Trust
from stagegate.settings import Environment, Settings

Kind = Literal["promote", "rollback", "configure"]
MarkPlace = Literal["hold", "ban", "override"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen fact."""


class Standing(Value, frozen=True, kw_only=True):
    """What an environment's pins say: a version, a commit where tags are `sha-<commit>`, or why neither.

    `digests`: of images and chart, where the pins name any. `is_range`: Argo CD resolves it, and it moves by
    itself.
    """

    environment: str
    version: str = ""
    commit: str = ""
    digests: Mapping[str, str] = {}
    is_range: bool = False
    trouble: str = ""


class Placed(Value, frozen=True, kw_only=True):
    """A mark on its ref; `mark` None: it cannot be read. `oid` is the ref's commit."""

    ref: str
    oid: str
    place: MarkPlace
    app: str
    environment: str = ""
    version: str = ""
    mark: Mark | None = None
    author: Actor | None = None


class Proposal(Value, frozen=True, kw_only=True):
    """The open promotion pull request of this app and environment.

    `foreign` are commits on its branch that are not ours; `approvals` logins of people with write access who
    approved exactly this head and did not write it; `reviews` ids of all approvals that a replacement dismisses;
    `said` is the digest of what its body says.
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
    equal: bool = False
    said: str = ""
    foreign: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    reviews: tuple[int, ...] = ()


class ImageSeen(Value, frozen=True, kw_only=True):
    """An image that the environment would run: as rendered, and the digest its tag has now."""

    reference: str
    repository: str
    digest: str = ""
    trouble: str = ""


class RiskSeen(Value, frozen=True, kw_only=True):
    """A risky class of change in the rendered difference."""

    kind: str
    object: str
    detail: str


class Approvals(Value, frozen=True, kw_only=True):
    """Who approved exactly the head under judgement: logins of people with write access who wrote none of it.

    `merged_by_stagegate`: the pull request is one that stagegate merges itself. `contains_others_work`: somebody
    else added commits or files to that branch.
    """

    people: tuple[str, ...] = ()
    merged_by_stagegate: bool = False
    contains_others_work: bool = False


class Subject(Value, frozen=True, kw_only=True):
    """One environment's change: from the version its pins name to another (or other configuration of it).

    `release_trouble`: it could not be read; `release_absent`: there is no such release. `pins_trouble`: the change
    leaves pins that name no one version. `besides`: what changes in the repository other than the release.
    `carried`: risks that only this run could see, which the commit says of itself for those who judge it later.
    """

    environment: str
    kind: Kind
    version: str
    before: str
    release: Release | None = None
    release_trouble: str = ""
    release_absent: str = ""
    pins_trouble: str = ""
    edits: tuple[Edit, ...] = ()
    files: Mapping[str, bytes] = {}
    images: tuple[ImageSeen, ...] = ()
    risks: tuple[RiskSeen, ...] = ()
    carried: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    rendered: bool = False
    render_note: str = ""
    render_trouble: str = ""
    irreversible: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    approvals: Approvals = Approvals()


class Facts(Value, frozen=True, kw_only=True):
    """Everything a decision about one app rests on.

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
    standings: tuple[Standing, ...] = ()
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

    def standing(self, environment: str) -> Standing:
        """What an environment runs by its pins."""
        for standing in self.standings:
            if standing.environment == environment:
                return standing
        return Standing(environment=environment, trouble="its pins were not read")

    def policy_of(self, environment: str) -> Environment:
        """The settings of an environment; Stop(bad-input) when policy does not name it."""
        return self.settings.environment(environment)
