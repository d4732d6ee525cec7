"""The facts and the result of a decision about the next version, as values."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stagegate.model import Finding
from stagegate.release.bump.changes import CommitFact


class BumpFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the decision needs.

    `tags` are all versions of this app (version -> commit), `names` their tags, `reachable` those in this branch's
    history. `commits` are those since the newest reachable version, newest first, and `since_final` those since the
    newest final one. `own` is the release commit that an earlier attempt of this run made, or that a merged release
    pull request brought (sha, version), if any. `foreign` are version tags with a prefix that the settings do not
    name, `charts` the versions of the app's chart in the registry.
    """

    branch: str
    head: str
    today: str
    tags: Mapping[str, str]
    reachable: tuple[str, ...]
    commits: tuple[CommitFact, ...]
    since_final: tuple[CommitFact, ...] = ()
    contents: Mapping[str, bytes | None]
    own: tuple[str, str] | None = None
    names: Mapping[str, str] = {}
    foreign: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()


class BumpPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: `reason` is the result's word, `files` new bytes, `commit` an existing release commit."""

    reason: str
    detail: str
    version: str = ""
    tag: str = ""
    previous: str = ""
    level: str = ""
    notes: str = ""
    files: Mapping[str, bytes] = {}
    commit: str = ""
    findings: tuple[Finding, ...] = ()
    unread: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
