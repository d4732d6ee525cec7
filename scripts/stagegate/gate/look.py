"""One look at an Application: the first thing that forbids calling it the release. Pure.

The words are those of `plan.REASONS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import semver

from stagegate.argocd_app.same_repository import same_repository
from stagegate.argocd_app.status import Application, SourceSeen, plain_address
from stagegate.model import moment

Commit = Literal["current", "behind", "superseded"]


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What the Application should run.

    `chart` is `host/path/name` without scheme, `repositories` are the Git repositories that hold pins or
    charts of ours, `pinned` is the version the pin in Git names now (empty: not known), `commits` contains what
    the sources of this Application hold (by `SourceSeen.key`), `release_tag`, `release_commit` and
    `release_tag_object` (the id of the annotated tag, which Argo CD before 2.13.8, 2.14.8, 3.0.23 and 3.1 shows
    in place of the commit) belong to the release. `settle` is how many seconds it must stay good, `patience` how
    many an error may last that can pass, `degraded_after` how many it may be Degraded. `moves_chart` False: the
    chart has versions of its own (shared, not ours). `named` is the version that the Application's own spec
    names (empty: none). `accepts_suspended`: Suspended counts as healthy.
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
    accepts_suspended: bool = False
    moves_chart: bool = True
    named: str = ""
    sync_window: bool = False


def classify(application: Application, expected: Expected) -> tuple[str, str]:
    """The first reason that applies to this one look, and a sentence; `ready` when none forbids it."""
    return next(_objections(application, expected), ("ready", _story(application)))


def _objections(app: Application, expected: Expected) -> Iterator[tuple[str, str]]:
    if app.deleting:
        yield "being-deleted", f"Application {app.name} is being deleted"
    own = carriers(app, expected)
    if not own:
        asked = ", ".join(source.address for source in app.sources) or "nothing"
        wanted = expected.chart or ", ".join(expected.repositories)
        yield "wrong-source", f"Application {app.name} follows {asked}, and the release is in {wanted}"
    for source in own:
        yield from _asked(source, expected)
    yield from _named(app, expected)
    yield from _refused(app)
    if not app.sync or not app.reconciled:
        yield "no-status", f"Application {app.name} has no status yet"
    if not app.compared_as_specified:
        yield "stale-comparison", "the comparison Argo CD shows is of an earlier spec"
    for source in app.sources:
        yield from _revision(source, expected, carries=source in own)
    yield from _operation(app)
    yield from _compared(app, expected)
    yield from _health(app, expected)
    if app.refreshing:
        yield "refreshing", "a refresh was asked for and is not done"


def carriers(app: Application, expected: Expected) -> tuple[SourceSeen, ...]:
    """The sources that bring this release: its chart, or a path of our own Git repositories."""
    charts = tuple(s for s in app.sources if expected.chart and s.address == plain_address(expected.chart))
    if charts:
        return charts
    return tuple(s for s in app.sources if s.is_git and is_ours(s, expected) and not (s.ref and not s.path))


def is_ours(source: SourceSeen, expected: Expected) -> bool:
    """`owner/name` is the end of the address, whatever host and protocol reach it."""
    return any(same_repository(source.repository, name) != "foreign" for name in expected.repositories)


def _asked(source: SourceSeen, expected: Expected) -> Iterator[tuple[str, str]]:
    """What the spec asks for, before anything Argo CD made of it."""
    if source.is_git or not expected.moves_chart:
        return
    if is_digest(source.target):
        if expected.chart_digest and source.target != expected.chart_digest:
            yield from _other(source.target, expected, newer=None)
        return
    if exact(source.target) and not same_version(source.target, expected.chart_version or expected.version):
        yield from _other(source.target, expected, newer=_newer(source.target, expected))


def _named(app: Application, expected: Expected) -> Iterator[tuple[str, str]]:
    """Pins inside the Application, for every kind of source.

    A chart that stays says nothing of the release: the spec's parameters or values do, or a Git source.
    """
    if expected.named and (not expected.moves_chart or exact(expected.named)):
        ours = (expected.version, expected.chart_version)
        if not any(same_version(expected.named, version) for version in ours):
            yield from _other(expected.named, expected, newer=None)
    elif not expected.moves_chart and not any(
        source.is_git and is_ours(source, expected) for source in app.sources
    ):
        yield "wrong-source", f"nothing in Application {app.name} names a release of this app"


def _other(target: str, expected: Expected, newer: bool | None) -> Iterator[tuple[str, str]]:
    """Another version is asked for: the pin was not applied yet, or it moved on."""
    still_pinned = same_version(expected.pinned, expected.version)
    if still_pinned or (not expected.pinned and newer is False):
        yield "pin-not-applied", f"the Application still asks for {target}; nothing has applied the pin yet"
    elif expected.pinned:
        yield "superseded", f"the pin in Git names {expected.pinned} by now"
    else:
        yield "superseded", f"the Application is asked for {target} by now"


def _refused(app: Application) -> Iterator[tuple[str, str]]:
    for kind, message in app.conditions:
        short = " ".join(message.split())[:300]
        if kind == "InvalidSpecError":
            yield "invalid-spec", f"Argo CD refuses the spec: {short}"
        if kind in ("ComparisonError", "UnknownError"):
            yield "comparison-error", f"Argo CD cannot compare: {short}"


def _revision(source: SourceSeen, expected: Expected, *, carries: bool) -> Iterator[tuple[str, str]]:
    """Whether Argo CD compared this source at a revision that belongs to the release."""
    if source.is_git:
        if is_ours(source, expected):
            yield from _commit(source, expected)
        return
    if not carries:
        return
    if not source.revision:
        yield "old-revision", "Argo CD has not compared this source yet"
    elif not expected.moves_chart:
        if exact(source.target) is not None and not same_version(source.revision, source.target):
            yield "old-revision", f"Argo CD compared against chart {source.revision}, not {source.target}"
    elif is_digest(source.revision):
        if not expected.chart_digest:
            yield (
                "old-revision",
                f"Argo CD resolved {source.revision[:19]}, and the release records no digest",
            )
        elif source.revision != expected.chart_digest:
            text = f"Argo CD resolved {source.revision[:19]}, the release is {expected.chart_digest[:19]}"
            yield "old-revision", text
    elif not same_version(source.revision, expected.chart_version or expected.version):
        if exact(source.target) is None and _newer(source.revision, expected):
            text = f"{source.target} resolves to {source.revision}; a range always takes the highest version"
            yield "superseded", text
        yield "old-revision", f"Argo CD compared against {source.revision}"


def _commit(source: SourceSeen, expected: Expected) -> Iterator[tuple[str, str]]:
    short = source.revision[:12]
    if not source.revision:
        yield "old-revision", "Argo CD has not compared this source yet"
    elif expected.release_tag and source.target.removeprefix("refs/tags/") == expected.release_tag:
        if source.revision not in (expected.release_commit, expected.release_tag_object):
            yield "old-revision", f"Argo CD compared against commit {short}, the tag is another"
    else:
        known = expected.commits.get(source.key)
        if known is None:
            yield "unknown-commit", f"commit {short} has not been read yet"
        elif known == "superseded":
            yield "superseded", f"at commit {short} the pin names another version"
        elif known == "behind":
            yield "old-commit", f"commit {short} does not hold these pins and values yet"


def _operation(app: Application) -> Iterator[tuple[str, str]]:
    operation = app.operation
    if app.requested or (operation.phase and not operation.finished):
        started = f" since {operation.started}" if operation.started else ""
        yield "syncing", f"a sync runs{started}" + (f": {operation.message}" if operation.message else "")
    if operation.phase == "Terminating" or operation.phase == "Running":
        yield "syncing", "a sync runs"
    if operation.phase in ("Failed", "Error") and operation.revisions == app.revisions:
        yield "operation-failed", f"the sync {operation.phase.lower()}: {operation.message or 'no message'}"


def _compared(app: Application, expected: Expected) -> Iterator[tuple[str, str]]:
    if app.sync == "OutOfSync":
        if expected.sync_window:
            yield "sync-window", "OutOfSync, and a sync window forbids the sync now"
        elif not app.auto_sync:
            yield "auto-sync-off", "OutOfSync, and auto-sync is off: somebody has to sync it"
        elif text := sync_error(app):
            failed = app.operation.phase in ("Failed", "Error")
            word = "operation-failed" if failed else "sync-error"
            yield word, f"Argo CD does not sync this revision: {text}"
        elif to_prune := _only_to_prune(app):
            yield "prune", f"OutOfSync: {to_prune} must be removed, and automated sync has `prune` off"
        elif synced_already(app):
            different = ", ".join([o.name for o in app.objects if not o.in_sync][:5]) or "some object"
            yield (
                "out-of-sync",
                f"these revisions are synced, and {different} is OutOfSync again without self-heal",
            )
        else:
            yield "out-of-sync", "OutOfSync; the sync has not begun"
    elif app.sync != "Synced":
        yield "sync-unknown", f"sync status {app.sync}"


def sync_error(app: Application) -> str:
    """Argo CD's own words why it does not try these revisions again, or nothing."""
    return next((" ".join(text.split())[:300] for kind, text in app.conditions if kind == "SyncError"), "")


def synced_already(app: Application) -> bool:
    """Whether automated sync will leave the difference alone: these very revisions are synced, no self-heal."""
    done = app.operation.phase == "Succeeded" and app.operation.revisions == app.revisions
    return app.sync == "OutOfSync" and app.auto_sync and not app.self_heal and done


def _only_to_prune(app: Application) -> str:
    """The objects that keep it OutOfSync, when all of them wait to be removed and nothing removes them."""
    different = [item for item in app.objects if not item.in_sync]
    only = bool(different) and not app.prune and all(item.must_be_pruned for item in different)
    return ", ".join(item.name for item in different[:5]) if only else ""


def cannot_start(app: Application) -> bool:
    """Whether a workload is Degraded for good: its progress deadline has passed, by Argo CD's own words."""
    return any("progress deadline" in text for text in (*app.unhealthy, app.health_message))


def _health(app: Application, expected: Expected) -> Iterator[tuple[str, str]]:
    if app.operation.finished and not _after(app.reconciled, app.operation.finished):
        yield "stale-health", "the health is from before the sync finished"
    words = {
        "Progressing": "progressing",
        "Degraded": "degraded",
        "Missing": "missing",
        "Suspended": "suspended",
    }
    accepted = ("Healthy", "Suspended") if expected.accepts_suspended else ("Healthy",)
    if app.health not in accepted:
        cause = "; ".join(app.unhealthy[:3]) or app.health_message
        said = f": {cause}" if cause else ""
        since = f" since {app.health_since}" if app.health_since else ""
        yield words.get(app.health, "health-unknown"), f"{app.health or 'no health'}{since}{said}"


def confirmed(application: Application, settle: float) -> bool:
    """Whether Argo CD looked again `settle` seconds after the sync ended and the health turned, by its own clock.

    Otherwise many looks at one old document would count as a long time of being good.
    """
    begun = [_time(text) for text in (application.operation.finished, application.health_since) if text]
    looked = _time(application.reconciled)
    if looked is None or None in begun:
        return False
    return all(looked >= moment + timedelta(seconds=settle) for moment in begun if moment is not None)


def _story(app: Application) -> str:
    revisions = ", ".join(source.revision[:20] for source in app.sources if source.revision)
    return f"Synced to {revisions} and Healthy" + (f" since {app.health_since}" if app.health_since else "")


def _after(later: str, earlier: str) -> bool:
    """Whether one of Argo CD's times is not before another; equal seconds are fine, nonsense is not."""
    a, b = _time(later), _time(earlier)
    return a is not None and b is not None and a >= b


def _time(text: str) -> datetime | None:
    try:
        return moment(text)
    except ValueError:
        return None


def is_digest(revision: str) -> bool:
    """`sha256:...`, the revision of a native OCI source."""
    return revision.startswith("sha256:")


def exact(text: str) -> semver.Version | None:
    """The one version a text names (`v` in front and `_` for `+` allowed), or None for a range or a branch."""
    try:
        return semver.Version.parse(text.removeprefix("v").replace("_", "+"))
    except ValueError:
        return None


def same_version(one: str, other: str) -> bool:
    """Whether two texts name one version, build metadata included."""
    return exact(one) is not None and str(exact(one)) == str(exact(other))


def _newer(text: str, expected: Expected) -> bool:
    found, wanted = exact(text), exact(expected.chart_version or expected.version)
    return found is not None and wanted is not None and found > wanted
