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


def known(room: Scratch, lines: Sequence[VersionHistory]) -> Commits:
    """The commits since the last versions and the released ones, with the files or folders known of each.

    Stop(unreachable).
    """
    wanted = dict.fromkeys(sha for one in lines for sha in (*one.since_final, *one.released))
    graph = lines[0].graph  # those of several apps are the same
    root_only = graph.trees == "root"
    if not root_only:
        git_history.trees(room, graph, wanted)
    return {commit.sha: commit for commit in git.commits(room.path, wanted, root_only=root_only)}


def possible(scopes: Sequence[Scope], lines: Sequence[VersionHistory], commits: Commits) -> list[str]:
    """The commits that may count for an app, as far as their known files tell."""
    return [
        sha
        for scope, one in zip(scopes, lines, strict=True)
        for sha in one.since_final
        if scope.possible(commits[sha])
    ]


def decisive(
    room: Scratch, scopes: Sequence[Scope], lines: Sequence[VersionHistory], commits: Commits, hub: Hub | None
) -> tuple[Commits, dict[str, bytes]]:
    """The commits with all files where these decide, and the contents that decide. Stop(unreachable).

    The old contents come from GitHub where git was already asked for the whole commit graph and for trees.
    """
    for scope, one in zip(scopes, lines, strict=True):
        since = [commits[sha] for sha in one.since_final]
        by_folders = scope.by_folders(since) if one.graph.trees == "root" else []
        if by_folders:
            git_history.trees(room, one.graph, by_folders, counting.doubtful(scope, since))
            commits = {**commits, **{commit.sha: commit for commit in git.commits(room.path, by_folders)}}
    oids = (
        oid
        for scope, one in zip(scopes, lines, strict=True)
        for oid in counting.doubtful(scope, [commits[sha] for sha in one.since_final])
    )
    ask = hub.texts if hub and any(one.graph.trees == "none" for one in lines) else None
    return commits, git_history.blobs(room, oids, ask)
