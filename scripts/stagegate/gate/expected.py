"""The release that an Application should run, and comparisons of versions. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from stagegate.versions import Version

Commit = Literal["current", "behind", "superseded"]


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """The release that the Application should run.

    `chart` is `host/path/name` without scheme, `repositories` are the Git repositories that hold pins or
    charts of ours, `pinned` is the version the pin in Git names now (empty: not known), `commits` contains what
    the sources of this Application hold (by `SourceSeen.key`), `release_tag`, `release_commit` and
    `release_tag_object` (the id of the annotated tag, which Argo CD before 2.13.8, 2.14.8, 3.0.23 and 3.1 shows
    in place of the commit) belong to the release. `settle` is how many seconds it must stay good, `patience` how
    many an error may last that can pass, `degraded_after` how many it may be Degraded, `canary` how many a canary
    may pause, `canary_in_job` how many of them this wait stays. `moves_chart` False: the chart has versions of its
    own (shared, not ours). `named` is the version that the Application's own spec names (empty: none).
    `accepts_suspended`: Suspended counts as healthy. `sync_window` says which window forbids a sync now,
    `cannot_start` which pod of the release will not start by itself (both empty: none).
    """

    version: str
    chart: str = ""
    chart_version: str = ""
    chart_digest: str = ""
    repositories: tuple[str, ...] = ()
    release_tag: str = ""
    release_commit: str = ""
    release_tag_object: str = ""
    pinned: str = ""
    commits: Mapping[str, Commit] = {}
    settle: float = 5.0
    patience: float = 300.0
    degraded_after: float = 120.0
    canary: float = 3600.0
    canary_in_job: float = math.inf
    accepts_suspended: bool = False
    moves_chart: bool = True
    named: str = ""
    sync_window: str = ""
    cannot_start: str = ""


def is_digest(revision: str) -> bool:
    """Whether a text is `sha256:...`, the revision of a native OCI source."""
    return revision.startswith("sha256:")


def exact(text: str) -> Version | None:
    """The one version a text names (`v` in front and `_` for `+` allowed), or None for a range or a branch."""
    try:
        return Version.parse(text.removeprefix("v").replace("_", "+"))
    except ValueError:
        return None


def same_version(one: str, other: str) -> bool:
    """Whether two texts name one version, build metadata included."""
    return exact(one) is not None and str(exact(one)) == str(exact(other))


def is_newer(text: str, expected: Expected) -> bool:
    """Whether a text names a higher version than the expected one."""
    actual, expected_version = exact(text), exact(expected.chart_version or expected.version)
    return actual is not None and expected_version is not None and actual > expected_version
