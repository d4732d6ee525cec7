"""Finds the versions of an app in the history of a branch, and the commits that are newer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from stagegate.clients import git_history, git_room
from stagegate.clients.git_graph import Graph
from stagegate.clients.git_history import Span
from stagegate.clients.git_refs import Remote
from stagegate.release.bump import paths, tags
from stagegate.release.bump.next_version import highest, highest_final
from stagegate.release.bump.versioned_app import VersionedApp
from stagegate.versions import Version


class VersionHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The versions of an app and their history. `names` are version -> tag, `tags` version -> commit.

    `since_final` are the commits since the newest final version, newest first.
    """

    names: Mapping[str, str]
    tags: Mapping[str, str]
    graph: Graph
    reachable: tuple[str, ...]
    since_final: tuple[str, ...]

    @property
    def released(self) -> tuple[str, ...]:
        """The commit of the newest version."""
        previous = highest(self.reachable)
        return (self.tags[previous],) if previous else ()


def of(apps: Sequence[VersionedApp], room: git_room.Scratch, refs: Remote) -> list[VersionHistory]:
    """The released versions of each app, with the part of the history that their decisions need.

    Where an app is a folder, the trees of all folders are needed; else most commits are decided by the root.
    """
    names = [tags.versions(refs.tags, app.settings) for app in apps]
    commits = [{version: refs.tags[tag] for version, tag in tag_names.items()} for tag_names in names]
    spans = [_span(n, c) for n, c in zip(names, commits, strict=True)]
    in_folders = any(paths.of_app(app.settings, app.config) for app in apps)
    lean = git_room.NO_FILES if in_folders else git_room.ROOT_TREES
    graphs = git_history.complete(room, refs.tip, spans, lean=lean)
    histories = []
    for n, c, graph in zip(names, commits, graphs, strict=True):
        reachable = tuple(version for version, sha in c.items() if sha in graph.parents)
        final = highest_final(reachable)
        since = graph.since([c[final]] if final else [])
        histories.append(VersionHistory(names=n, tags=c, graph=graph, reachable=reachable, since_final=since))
    return histories


def _span(names: Mapping[str, str], commits: Mapping[str, str]) -> Span:
    final = highest_final(commits)
    if not final:
        return Span()
    base = Version.parse(final)
    newer = frozenset(sha for version, sha in commits.items() if Version.parse(version) > base)
    return Span(stable=(names[final], commits[final]), newer=newer)
