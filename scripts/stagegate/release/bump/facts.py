"""Reads the facts for version-bump: tags, commits since the last release, version files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from stagegate import inside
from stagegate.clients import git, git_refs, git_room
from stagegate.clients.git_refs import Remote
from stagegate.errors import Stop
from stagegate.model.trailers import APP, ENVIRONMENT, RUN, VERSION
from stagegate.release.bump import counting, edits, origins, paths, released, tags
from stagegate.release.bump.counting import Scope
from stagegate.release.bump.next_version import highest, highest_final
from stagegate.release.bump.plan_facts import BumpFacts
from stagegate.release.bump.versioned_app import VersionedApp
from stagegate.settings import Settings

if TYPE_CHECKING:  # a plan from the clone alone loads no HTTP library
    from stagegate.clients.hub import Hub

T = TypeVar("T")


def read(
    apps: Sequence[VersionedApp],
    hub: Hub | None,
    workspace: Path,
    branch: str,
    *,
    run_id: str,
    today: str,
    env: Mapping[str, str],
    history: bool = True,
) -> tuple[BumpFacts, ...]:
    """The facts of each app at the newest commit of a branch. `env` has the credentials of git. Stop(bad-input).

    Without `hub`, branch, tags and files come from the local clone. Without `history`, no commits are fetched and
    the facts have none.
    """
    git_refs.check_branch(branch)
    with git_room.scratch(workspace, env, alone=hub is None) as room:
        refs = git_refs.remote(room, branch) if hub else git_refs.local(workspace, branch)
        if not refs.tip:
            raise Stop(
                "bad-input",
                f"{hub.repository if hub else 'this clone'} has no branch {branch!r}.",
                "version-bump makes a release from a commit on a branch.",
                "Run the workflow on a branch, or set the input `branch`.",
            )
        if not history:
            return _at_head(apps, refs, _contents(apps, hub, workspace, refs.tip), branch, today)
        with _meanwhile(hub, partial(_contents, apps, hub, workspace, refs.tip)) as contents_of_files:
            histories = released.of(apps, room, refs)
            contents = contents_of_files()
        scopes = [_scope(app, contents) for app in apps]
        commits = edits.known(room, histories)
        may_count = edits.possible(scopes, histories, commits) if hub else []
        with _meanwhile(hub, partial(origins.read, hub, branch, may_count)) as commit_origins_of_all:
            commits, blobs = edits.decisive(room, scopes, histories, commits, hub)
            commit_origins = commit_origins_of_all()
    counted = [
        counting.facts(
            scope, [commits[sha] for sha in version_history.since_final], version_history.graph, blobs
        )
        for scope, version_history in zip(scopes, histories, strict=True)
    ]
    every_app = []
    for app, version_history, facts in zip(apps, histories, counted, strict=True):
        previous, final = highest(version_history.reachable), highest_final(version_history.reachable)
        recent = set(version_history.graph.since(version_history.released))
        known_commits = tuple(origins.with_origin(fact, commit_origins, app.settings, hub) for fact in facts)
        every_app.append(
            BumpFacts(
                branch=branch,
                head=refs.tip,
                today=today,
                tags=version_history.tags,
                reachable=version_history.reachable,
                commits=tuple(fact for fact in known_commits if fact.sha in recent),
                since_final=known_commits if previous != final else (),
                contents={path: contents[path] for path in _places(app.settings)},
                own=_own(
                    (commits[sha] for sha in (*version_history.since_final, *version_history.released)),
                    app.settings.app,
                    run_id,
                ),
                names=version_history.names,
                foreign=tags.foreign(refs.tags, app.settings),
            )
        )
    return tuple(every_app)


@contextmanager
def _meanwhile(hub: Hub | None, question: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Ask GitHub while git fetches; without GitHub the question is answered when needed."""
    if hub is None:
        yield question
        return
    from concurrent.futures import ThreadPoolExecutor  # not for a plan from the clone alone

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(question).result


def _at_head(
    apps: Sequence[VersionedApp],
    refs: Remote,
    contents: Mapping[str, bytes | None],
    branch: str,
    today: str,
) -> tuple[BumpFacts, ...]:
    """The tags and files of each app, enough to check its version files."""
    every_app = []
    for app in apps:
        names = tags.versions(refs.tags, app.settings)
        every_app.append(
            BumpFacts(
                branch=branch,
                head=refs.tip,
                today=today,
                tags={version: refs.tags[tag] for version, tag in names.items()},
                reachable=(),
                commits=(),
                contents={path: contents[path] for path in _places(app.settings)},
                names=names,
            )
        )
    return tuple(every_app)


def _scope(app: VersionedApp, contents: Mapping[str, bytes | None]) -> Scope:
    """The files that count for an app: not its pins, the values files that they name, and its changelog."""
    pins = _pins(app.settings)
    inert = [*pins, *([app.settings.version.changelog] if app.settings.version.changelog else [])]
    pin_contents = {file: contents.get(file) or b"" for file in pins}
    if any(
        b"$" in content or b"\\" in content for content in pin_contents.values()
    ):  # as in $values/prod.yaml
        from stagegate.pins import files as pin_files  # loaded only for pins that name values files

        inert += pin_files.values(pin_contents)
    return Scope(
        settings=app.settings,
        globs=paths.of_app(app.settings, app.config),
        inert=frozenset(inert),
        versioned=frozenset(place.file for place in app.settings.version.places),
    )


def _contents(
    apps: Sequence[VersionedApp], hub: Hub | None, workspace: Path, head: str
) -> dict[str, bytes | None]:
    """The contents of version files, changelogs and pins; None for a missing file."""
    files = dict.fromkeys(
        path
        for app in apps
        for path in (*_places(app.settings), *_pins(app.settings))
        if not any(mark in path for mark in "*?[")
    )
    if hub:
        blobs = hub.files(head, tuple(files))
        return {path: blob.content if blob else None for path, blob in blobs.items()}
    return {path: _local(workspace, path) for path in files}


def _pins(settings: Settings) -> tuple[str, ...]:
    """The files or patterns of all pins."""
    pins = (pin for place in settings.environments for pin in place.pins)
    return tuple(dict.fromkeys(pin if isinstance(pin, str) else pin.file for pin in pins))


def _local(workspace: Path, name: str) -> bytes | None:
    file = inside.file(workspace, name)
    return file.read_bytes() if file else None


def _own(commits: Iterable[git.LocalCommit], app: str, run_id: str) -> tuple[str, str] | None:
    """The release commit and version of an earlier attempt of this run, which is completed instead of repeated."""
    for commit in commits if run_id else ():
        if RUN not in commit.body:
            continue
        marks = commit.trailers
        is_release = marks.get(APP) == app and VERSION in marks and ENVIRONMENT not in marks
        if is_release and marks.get(RUN) == run_id:
            return commit.sha, marks[VERSION]
    return None


def _places(settings: Settings) -> tuple[str, ...]:
    files = [place.file for place in settings.version.places]
    log = settings.version.changelog
    return tuple(dict.fromkeys([*files, *([log] if log else [])]))
