"""The work tree as adoption reads it: files that Git tracks or would track, tags, address and branch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from stagegate.argocd_app.tree import Entry, Tree
from stagegate.clients import git
from stagegate.errors import Stop


class WorkTree(msgspec.Struct, frozen=True, kw_only=True):
    """Files, tags, `owner/name` (empty where origin does not tell it) and the default branch as far as known."""

    tree: Tree
    tags: tuple[str, ...]
    repository: str
    branch: str


def read(folder: Path, repository: str = "") -> WorkTree:
    """The work tree of a clone. Stop(missing-file) outside one."""
    if git.git(folder, "rev-parse", "--is-inside-work-tree", check=False).code:
        raise Stop(
            "missing-file",
            "This folder is not in a Git repository.",
            "init and doctor read the files that Git tracks, the tags and the address of `origin`.",
            "Run `git init`, or change into the repository.",
        )
    names = [name for name in git.files(folder) if (folder / name).is_file()]

    def load(wanted: Sequence[str]) -> dict[str, bytes]:
        inside = {name: (folder / name).resolve() for name in wanted}
        home = folder.resolve()
        return {name: path.read_bytes() for name, path in inside.items() if path.is_relative_to(home)}

    return WorkTree(
        tree=Tree({name: Entry(oid=name) for name in names}, load),
        tags=tuple(git.git(folder, "tag", "--list").text.split()),
        repository=repository or git.origin(folder),
        branch=_branch(folder),
    )


def _branch(folder: Path) -> str:
    """The branch that origin's HEAD names, else the one that is checked out, else main."""
    head = git.said(folder, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    named = head.removeprefix("origin/") or git.branch(folder)
    return "main" if named in ("HEAD", "") else named
