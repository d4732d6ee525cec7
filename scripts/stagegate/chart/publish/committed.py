"""Reads the chart of a commit from its blobs, regardless of work tree, attributes and filters."""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stagegate.chart import source
from stagegate.clients import git, git_trees
from stagegate.errors import Stop
from stagegate.model import git_files


@contextmanager
def tree(workspace: Path, commit: str, path: str) -> Iterator[Path]:
    """A temporary folder with the chart at `path` and its `file://` dependencies, from `commit`.

    Stop(bad-input) for a commit that is not in the checkout. Stop(findings) naming a submodule, a Git LFS
    pointer, a link that leads out of the repository, or a name that is not UTF-8 or has a backslash.
    """
    result = git.git(workspace, "cat-file", "-e", f"{commit}^{{commit}}", check=False)
    if result.code:
        raise Stop(
            "bad-input",
            f"The commit {commit[:12]} is not in this checkout.",
            "helm-publish packs the files of the release's commit, so this commit must be in the checkout.",
            "Check out the commit of the release (actions/checkout with `ref`), and pass the same "
            "commit as `commit`.",
        )
    with tempfile.TemporaryDirectory(prefix="stagegate-commit-") as temporary:
        folder = Path(temporary)
        _extract(workspace, commit, path, folder)
        for local in _beside(folder / path, path):
            dependency_path = posixpath.normpath(posixpath.join(path, local))
            if not dependency_path.startswith(("..", "/")):
                _extract(workspace, commit, dependency_path, folder)
        yield folder


def _beside(chart: Path, path: str) -> tuple[str, ...]:
    """The paths of `file://` dependencies in Chart.yaml, relative to it. Stop(findings) if it cannot be read."""
    if not (chart / source.FILE).is_file():
        return ()  # the reader of the chart reports it
    listed = source.read(chart, path, lenient=True).dependencies
    return tuple(dependency.local for dependency in listed if dependency.local)


def _extract(workspace: Path, commit: str, path: str, folder: Path) -> None:
    rows = git_trees.listed(workspace, commit, path)
    contents = git_trees.contents(workspace, (row.oid for row in rows if row.mode != git_files.SUBMODULE))
    for row in rows:
        name = _name(row.name)
        if row.mode == git_files.SUBMODULE:
            raise _unfit(name, "The folder is a submodule, so the files are in another repository.")
        content = contents[row.oid]
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if row.mode == git_files.LINK:
            if name == path:
                raise _link_for_folder(path)
            pointed = posixpath.normpath(posixpath.join(posixpath.dirname(name), os.fsdecode(content)))
            if pointed.startswith(("..", "/")):
                raise _unfit(name, "The file is a symbolic link to a place outside the repository.")
            target.symlink_to(os.fsdecode(content))
        elif content.startswith(git_files.LFS_POINTER):
            raise _unfit(name, "The file is a Git LFS pointer and not the content itself.")
        else:
            target.write_bytes(content)


def _name(raw: bytes) -> str:
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unfit(raw.decode("utf-8", "backslashreplace"), "The name of the file is not UTF-8.") from error
    if "\\" in name:
        raise _unfit(name, "The name of the file has a backslash, and Helm does not load such files.")
    return name


def _link_for_folder(path: str) -> Stop:
    return Stop(
        "findings",
        f"{path} is a symbolic link.",
        "A commit contains only the target of a symbolic link, but the files of the chart are in a "
        "different place.",
        "Use the target folder of the link, in `chart.path` or in `dependencies` of the chart that "
        "includes the link.",
        file=path,
    )


def _unfit(name: str, why: str) -> Stop:
    return Stop(
        "findings",
        f"{name} cannot be packed.",
        why,
        "Remove the file from the chart, or rename the file.",
        file=name,
    )
