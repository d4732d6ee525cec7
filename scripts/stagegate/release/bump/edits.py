"""What the commits of a run changed: folders and contents of files are only fetched where they decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stagegate.clients import git, git_history
from stagegate.clients.git import LocalCommit
from stagegate.clients.git_room import Scratch
from stagegate.release.bump import counting
from stagegate.release.bump.counting import Scope
from stagegate.release.bump.released import VersionHistory

if TYPE_CHECKING:  # a plan from the clone alone loads no HTTP library
    from stagegate.clients.hub import Hub

Commits = Mapping[str, LocalCommit]


def known(room: Scratch, histories: Sequence[VersionHistory]) -> Commits:
    """The commits since the last versions, and the released ones, with their known files or folders.

    Stop(unreachable).
    """
    needed = dict.fromkeys(
        sha
        for version_history in histories
        for sha in (*version_history.since_final, *version_history.released)
    )
    graph = histories[0].graph  # those of several apps are the same
    root_only = graph.trees == "root"
    if not root_only:
        git_history.trees(room, graph, needed)
    return {commit.sha: commit for commit in git.commits(room.path, needed, root_only=root_only)}


def possible(scopes: Sequence[Scope], histories: Sequence[VersionHistory], commits: Commits) -> list[str]:
    """The commits that may count for an app, as far as their known files tell."""
    return [
        sha
        for scope, version_history in zip(scopes, histories, strict=True)
        for sha in version_history.since_final
        if scope.possible(commits[sha])
    ]


def decisive(
    room: Scratch,
    scopes: Sequence[Scope],
    histories: Sequence[VersionHistory],
    commits: Commits,
    hub: Hub | None,
) -> tuple[Commits, dict[str, bytes]]:
    """The commits with all files where these decide, and the contents that decide. Stop(unreachable).

    The old contents come from GitHub where git was already asked for the whole commit graph and for trees.
    """
    for scope, version_history in zip(scopes, histories, strict=True):
        since = [commits[sha] for sha in version_history.since_final]
        by_folders = scope.by_folders(since) if version_history.graph.trees == "root" else []
        if by_folders:
            git_history.trees(room, version_history.graph, by_folders, counting.doubtful(scope, since))
            commits = {**commits, **{commit.sha: commit for commit in git.commits(room.path, by_folders)}}
    oids = (
        oid
        for scope, version_history in zip(scopes, histories, strict=True)
        for oid in counting.doubtful(scope, [commits[sha] for sha in version_history.since_final])
    )
    ask = (
        hub.texts
        if hub and any(version_history.graph.trees == "none" for version_history in histories)
        else None
    )
    return commits, git_history.blobs(room, oids, ask)
