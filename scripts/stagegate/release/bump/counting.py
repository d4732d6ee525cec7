"""Decides which commits count for an app, by their files and scope. Commits that only change its version do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from stagegate.clients.git import Edited, LocalCommit
from stagegate.clients.git_graph import Graph
from stagegate.model.trailers import APP
from stagegate.release import conventional, version_files
from stagegate.release.bump import paths
from stagegate.release.bump.changes import CommitFact
from stagegate.settings import Settings


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The files of an app: `globs` (empty: every file), without those whose changes cause no release (`inert`).

    `versioned` are the files that contain the app's version.
    """

    settings: Settings
    globs: tuple[str, ...]
    inert: frozenset[str]
    versioned: frozenset[str]

    def relevant(self, commit: LocalCommit) -> list[Edited]:
        """The edits of a commit in files of the app."""
        return [edit for edit in commit.edits if self.has(edit.path)]

    def has(self, path: str) -> bool:
        """Whether this file belongs to the app and can cause a release."""
        return _relevant(path, self.globs, self.inert)

    def only_versions(self, commit: LocalCommit) -> bool:
        """Whether a commit edits files of the app, and only its version files."""
        if self.versioned.isdisjoint(commit.files):
            return False
        relevant = [path for path in commit.files if self.has(path)]
        return bool(relevant) and self.versioned.issuperset(relevant)

    def by_folders(self, commits: Iterable[LocalCommit]) -> list[str]:
        """The commits of which only their folders tell whether they count; `files` of each is what is in the root.

        Others change something beside all files whose change alone causes no release. Globs need folders of all.
        """
        tops = {path.removeprefix("./").partition("/")[0] for path in (*self.inert, *self.versioned)}
        return [
            commit.sha
            for commit in commits
            if commit.files and all(any(paths.matches(file, top) for top in tops) for file in commit.files)
        ]

    def possible(self, commit: LocalCommit) -> bool:
        """Whether a commit may count, before the contents of files are read."""
        return not commit.files or any(map(self.has, commit.files))


@lru_cache(maxsize=4096)  # most commits change files that other commits have changed too
def _relevant(path: str, globs: tuple[str, ...], inert: frozenset[str]) -> bool:
    return paths.belongs(path, globs) and not any(paths.matches(path, glob) for glob in inert)


def doubtful(scope: Scope, commits: Sequence[LocalCommit]) -> list[str]:
    """The object ids of the contents that show whether a commit only changes the version."""
    edits = [edit for commit in commits if scope.only_versions(commit) for edit in commit.edits]
    return [oid for edit in edits if edit.path in scope.versioned for oid in (edit.before, edit.after)]


def facts(
    scope: Scope, commits: Sequence[LocalCommit], graph: Graph, contents: Mapping[str, bytes]
) -> tuple[CommitFact, ...]:
    """One fact for each commit, in the same order. `contents` has the objects that `doubtful` lists."""
    brought = graph.brought(commit.sha for commit in commits if len(commit.parents) > 1)
    return tuple(
        CommitFact(
            sha=commit.sha,
            subject=commit.subject,
            body=commit.body,
            author=commit.author,
            counts=_in_scope(scope, commit) and _counts(scope, commit, contents),
            brings=brought.get(commit.sha, ()),
        )
        for commit in commits
    )


def _in_scope(scope: Scope, commit: LocalCommit) -> bool:
    """Whether a scope in the title is one of the app's scopes in the settings; true without any there."""
    globs = scope.settings.version.scopes
    if not globs:
        return True
    return any(paths.matches(name, glob) for name in conventional.scopes(commit.subject) for glob in globs)


def _counts(scope: Scope, commit: LocalCommit, contents: Mapping[str, bytes]) -> bool:
    if not commit.files:
        return len(commit.parents) < 2 and not scope.globs and commit.trailers.get(APP) != scope.settings.app
    if scope.only_versions(commit):
        return not all(_moves_version(scope, edit, contents, commit) for edit in scope.relevant(commit))
    return any(map(scope.has, commit.files))


def _moves_version(scope: Scope, edit: Edited, contents: Mapping[str, bytes], commit: LocalCommit) -> bool:
    """Whether an edit changes a version file's own version and nothing else."""
    if edit.before not in contents or edit.after not in contents:
        return commit.trailers.get(APP) == scope.settings.app
    places = scope.settings.version.places
    before, after = (
        version_files.without_versions(places, edit.path, contents[oid]) for oid in (edit.before, edit.after)
    )
    return before is not None and before == after
