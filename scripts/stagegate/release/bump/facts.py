"""Reads what version-bump decides on: tags, commits since the last release, files that hold versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import semver

from stagegate.clients import git, git_history
from stagegate.clients.git_history import Graph, Remote, Scratch
from stagegate.clients.hub import Hub
from stagegate.errors import Stop
from stagegate.pins import files as pin_files
from stagegate.release import version_files
from stagegate.release.bump import paths
from stagegate.release.bump.changes import CommitFact
from stagegate.release.bump.next_version import highest, highest_final
from stagegate.release.bump.plan import APP, RUN, VERSION, BumpFacts
from stagegate.settings import Settings


def read(
    settings: Settings,
    hub: Hub | None,
    workspace: Path,
    branch: str,
    *,
    config: str,
    run_id: str,
    today: str,
    env: Mapping[str, str],
) -> BumpFacts:
    """The facts at the newest commit of a branch; `env` lets git read the remote. Stop(bad-input).

    Without `hub` the local clone alone answers: its branch, its tags and the files of its work tree.
    """
    git_history.check_branch(branch)
    with git_history.scratch(workspace, env) as room:
        refs = git_history.remote(room, branch) if hub else git_history.local(workspace, branch)
        if not refs.tip:
            raise Stop(
                "bad-input",
                f"There is no branch {branch!r} in {hub.repository if hub else 'this clone'}.",
                "A release is a commit on a branch.",
                "Run the workflow on a branch, or give the input `branch`.",
            )
        names = _versions(refs.tags, settings)
        tags = {version: refs.tags[name] for version, name in names.items()}
        graph = _graph(room, refs, names, tags)
        contents, inert = _files(settings, hub, workspace, refs.tip)
        reachable = tuple(version for version, sha in tags.items() if sha in graph.parents)
        previous, final = highest(reachable), highest_final(reachable)
        oldest = graph.since([tags[final]] if final else [])
        commits = git.commits(room.path, oldest)
        released = git.commits(room.path, [tags[previous]] if previous else [])
        facts = _Counting(settings, room, graph, paths.of_app(settings, config), inert).facts(commits)
    recent = set(graph.since([tags[previous]] if previous else []))
    return BumpFacts(
        branch=branch,
        head=refs.tip,
        today=today,
        tags=tags,
        reachable=reachable,
        commits=tuple(fact for fact in facts if fact.sha in recent),
        since_final=facts if previous != final else (),
        contents={path: contents[path] for path in _places(settings)},
        own=_own((*commits, *released), settings.app, run_id),
        names=names,
        foreign=_foreign(refs.tags, settings),
    )


class _Counting:
    """Decides which commits count for an app, with the old contents of version files read in one batch."""

    def __init__(
        self, settings: Settings, room: Scratch, graph: Graph, globs: tuple[str, ...], inert: frozenset[str]
    ) -> None:
        self._settings, self._room, self._graph = settings, room, graph
        self._globs, self._inert = globs, inert
        self._places = settings.version.places
        self._versioned = frozenset(place.file for place in self._places)

    def facts(self, commits: tuple[git.LocalCommit, ...]) -> tuple[CommitFact, ...]:
        """One fact for each commit, in the same order."""
        doubtful = [edit for commit in commits if self._only_versions(commit) for edit in commit.edits]
        oids = [oid for edit in doubtful if edit.path in self._versioned for oid in (edit.before, edit.after)]
        contents = git_history.blobs(self._room, oids)
        return tuple(self._fact(commit, contents) for commit in commits)

    def _relevant(self, commit: git.LocalCommit) -> list[git.Edited]:
        return [
            edit
            for edit in commit.edits
            if paths.belongs(edit.path, self._globs)
            and not any(paths.matches(edit.path, one) for one in self._inert)
        ]

    def _only_versions(self, commit: git.LocalCommit) -> bool:
        relevant = self._relevant(commit)
        return bool(relevant) and {edit.path for edit in relevant} <= self._versioned

    def _fact(self, commit: git.LocalCommit, contents: Mapping[str, bytes]) -> CommitFact:
        relevant = self._relevant(commit)
        merge = len(commit.parents) > 1
        if not commit.edits:
            counts = not merge and not self._globs and commit.trailers.get(APP) != self._settings.app
        elif self._only_versions(commit):
            counts = not all(self._moves_version(edit, contents, commit) for edit in relevant)
        else:
            counts = bool(relevant)
        brings = (
            tuple(self._graph.reach(commit.parents[1:]) - self._graph.reach(commit.parents[:1]))
            if merge
            else ()
        )
        return CommitFact(
            sha=commit.sha, subject=commit.subject, body=commit.body, counts=counts, brings=brings
        )

    def _moves_version(
        self, edit: git.Edited, contents: Mapping[str, bytes], commit: git.LocalCommit
    ) -> bool:
        """Whether an edit changes a version file's own version and nothing else."""
        if edit.before not in contents or edit.after not in contents:
            return commit.trailers.get(APP) == self._settings.app
        before, after = (
            version_files.without_versions(self._places, edit.path, contents[oid])
            for oid in (edit.before, edit.after)
        )
        return before is not None and before == after


def _graph(room: Scratch, refs: Remote, names: Mapping[str, str], tags: Mapping[str, str]) -> Graph:
    final = highest_final(tags)
    base = semver.Version.parse(final) if final else None
    newer = {version: sha for version, sha in tags.items() if base and semver.Version.parse(version) > base}
    return git_history.complete(room, refs.tip, {names[final]: tags[final]} if final else {}, newer)


def _files(
    settings: Settings, hub: Hub | None, workspace: Path, head: str
) -> tuple[dict[str, bytes | None], frozenset[str]]:
    """Contents of version files and changelog, and the files whose change alone causes no release."""
    wanted, pins = _places(settings), pin_files.of(settings.environments)
    named = tuple(file for file in (*wanted, *pins) if not pin_files.is_glob(file))
    if hub:
        blobs = hub.files(head, named)
        contents = {path: blob.content if blob else None for path, blob in blobs.items()}
    else:
        contents = {path: _local(workspace, path) for path in named}
    values = pin_files.values({file: contents[file] for file in pins if file in contents})
    log = settings.version.changelog
    return contents, frozenset((*pins, *values, *([log] if log else [])))


def _local(workspace: Path, name: str) -> bytes | None:
    file = workspace / name
    if not file.resolve().is_relative_to(workspace.resolve()) or not file.is_file():
        return None
    return file.read_bytes()


def _prefixes(settings: Settings) -> tuple[str, ...]:
    own = settings.version.tag_prefix
    twin = {"v": ("",), "": ("v",)}.get(own, ())
    return (own, *settings.version.old_prefixes, *twin)


def _versions(tags: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Version -> tag, for tags that are a known prefix and SemVer; the first prefix wins."""
    names: dict[str, str] = {}
    for prefix in _prefixes(settings):
        for tag in tags:
            version = tag[len(prefix) :]
            if tag.startswith(prefix) and semver.Version.is_valid(version):
                names.setdefault(version, tag)
    return names


def _foreign(tags: Mapping[str, str], settings: Settings) -> tuple[str, ...]:
    """Version tags with an unknown prefix, where the settings have the usual one and not one for each app."""
    if settings.version.tag_prefix not in ("", "v"):
        return ()
    known = _prefixes(settings)
    ends = ((tag, tag[max(tag.rfind(mark) for mark in "-_/@v") + 1 :]) for tag in tags)
    return tuple(
        tag for tag, end in ends if semver.Version.is_valid(end) and tag.removesuffix(end) not in known
    )


def _own(commits: Iterable[git.LocalCommit], app: str, run_id: str) -> tuple[str, str] | None:
    """The release commit an earlier attempt of this very run made: it is completed, never made twice."""
    for commit in commits:
        marks = commit.trailers
        is_release = marks.get(APP) == app and VERSION in marks and "Stagegate-Environment" not in marks
        if is_release and run_id and marks.get(RUN) == run_id:
            return commit.sha, marks[VERSION]
    return None


def _places(settings: Settings) -> tuple[str, ...]:
    files = [place.file for place in settings.version.places]
    log = settings.version.changelog
    return tuple(dict.fromkeys([*files, *([log] if log else [])]))
