"""Reads what version-bump decides on: tags, commits since the last release, files that hold versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import semver

from stagegate.clients import git
from stagegate.clients.hub import Hub
from stagegate.errors import Stop
from stagegate.pins import files as pin_files
from stagegate.release.bump.plan import APP, RUN, VERSION, CommitFact, Facts
from stagegate.settings import Settings


def read(
    settings: Settings,
    hub: Hub,
    workspace: Path,
    branch: str,
    *,
    run_id: str,
    today: str,
    env: Mapping[str, str],
) -> Facts:
    """The facts at the newest commit of a branch; `env` lets git read the remote. Stop(bad-input)."""
    head = hub.head(branch)
    if head is None:
        raise Stop(
            "bad-input",
            f"There is no branch {branch!r} in {hub.repository}.",
            "A release is a commit on a branch.",
            "Run the workflow on a branch, or give the input `branch`.",
        )
    tags = _versions(
        git.remote_tags(workspace, settings.version.tag_prefix, env), settings.version.tag_prefix
    )
    reachable, commits = _history(settings, tags, workspace, branch, head, env)
    wanted = _places(settings)
    pins = pin_files.of(settings.environments)
    blobs = hub.files(head, (*wanted, *pins))
    contents = {path: blob.content if blob else None for path, blob in blobs.items()}
    return Facts(
        branch=branch,
        head=head,
        today=today,
        tags=tags,
        reachable=reachable,
        commits=tuple(_fact(commit, settings.app) for commit in commits if commit.sha not in tags.values()),
        contents={path: contents[path] for path in wanted},
        inert=frozenset((*wanted, *pins, *pin_files.values({file: contents[file] for file in pins}))),
        own=_own(commits, settings.app, run_id),
    )


def _history(
    settings: Settings,
    tags: Mapping[str, str],
    workspace: Path,
    branch: str,
    head: str,
    env: Mapping[str, str],
) -> tuple[tuple[str, ...], tuple[git.Commit, ...]]:
    """Versions in the branch's history, and its commits since the newest of them (that one included)."""
    prefix = settings.version.tag_prefix
    newest = max(tags, key=semver.Version.parse, default="")
    tip = git.fetch(workspace, branch, prefix + newest if newest else "", env)
    if newest and git.is_shallow(workspace) and not git.is_ancestor(workspace, tags[newest], tip):
        git.fetch(workspace, branch, "", env)  # another line's tag is newer: only the whole history can tell
    if tip != head:
        raise Stop(
            "stale-base",
            f"{branch} moved while it was read.",
            f"It was {head[:12]}, then {tip[:12]}.",
            "Run again.",
        )
    ours = git.ancestors(workspace, tags.values(), tip)
    reachable = tuple(version for version, sha in tags.items() if sha in ours)
    last = max(reachable, key=semver.Version.parse, default="")
    commits = git.commits(workspace, tags[last] if last else "", tip)
    return reachable, (*commits, *(git.commit(workspace, tags[last]) if last else ()))


def _versions(tags: Mapping[str, str], prefix: str) -> dict[str, str]:
    """SemVer tags only: version -> commit."""
    names = {tag[len(prefix) :]: sha for tag, sha in tags.items()}
    return {name: sha for name, sha in names.items() if semver.Version.is_valid(name)}


def _fact(commit: git.Commit, app: str) -> CommitFact:
    ours = APP in commit.trailers and commit.trailers[APP] == app
    return CommitFact(sha=commit.sha, subject=commit.subject, body=commit.body, files=commit.files, ours=ours)


def _own(commits: Iterable[git.Commit], app: str, run_id: str) -> tuple[str, str] | None:
    """The release commit an earlier attempt of this very run made: it is completed, never made twice."""
    for commit in commits:
        marks = commit.trailers
        is_release = marks.get(APP) == app and VERSION in marks and "Stagegate-Environment" not in marks
        if is_release and run_id and marks.get(RUN) == run_id:
            return commit.sha, marks[VERSION]
    return None


def _places(settings: Settings) -> tuple[str, ...]:
    files = [place.file for place in settings.version.places]
    return tuple(
        dict.fromkeys([*files, *([settings.version.changelog] if settings.version.changelog else [])])
    )
