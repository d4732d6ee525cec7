"""The facts and the plan of version-bump, as values."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stagegate.model import Finding
from stagegate.release.bump.changes import CommitFact


class BumpFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about one app.

    `tags` are all versions of this app (version -> commit), `names` their tags, `reachable` those in this branch's
    history. `commits` are those since the newest reachable version, newest first, and `since_final` those since the
    newest final one. `contents` has the version files and the changelog (None: missing). `own` is the release
    commit of an earlier attempt of this run, or of a merged release pull request (sha, version). `foreign` are
    version tags with a prefix that the settings do not name, `charts` the versions of the app's chart in the
    registry.
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
    """The decision:

    `reason` is that of the result, `files` the new contents, `commit` an existing release commit.
    """

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
