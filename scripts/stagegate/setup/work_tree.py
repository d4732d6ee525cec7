"""The work tree as adoption reads it: files that Git tracks or would track, tags, address and branch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stagegate.argocd_app.tree import Entry, Tree
from stagegate.clients import git
from stagegate.errors import Stop

# A path of this machine has an owner and a name for nobody else, so an address needs a host.
_REPOSITORY = re.compile(
    r"(?:\w[\w+.-]*://[^/]+/|(?:[^/@:]+@)?[^/:]{2,}:(?!//))(?:.*/)?([\w.-]+/[\w.-]+?)(?:\.git)?/?"
)


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
    listed = git.git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard").text
    names = [name for name in listed.split("\0") if name and (folder / name).is_file()]

    def load(wanted: Sequence[str]) -> dict[str, bytes]:
        inside = {name: (folder / name).resolve() for name in wanted}
        home = folder.resolve()
        return {name: path.read_bytes() for name, path in inside.items() if path.is_relative_to(home)}

    return WorkTree(
        tree=Tree({name: Entry(oid=name) for name in names}, load),
        tags=tuple(git.git(folder, "tag", "--list").text.split()),
        repository=repository or _repository(folder),
        branch=_branch(folder),
    )


def repository_of(address: str) -> str:
    """`owner/name` of a Git address with a host, by URL or as `git@host:owner/name`; empty for a path."""
    match = _REPOSITORY.fullmatch(address)
    return match[1] if match else ""


def _repository(folder: Path) -> str:
    address = git.git(folder, "remote", "get-url", "origin", check=False).text.strip()
    return repository_of(address)


def _branch(folder: Path) -> str:
    """The branch that origin's HEAD names, else the one that is checked out, else main."""
    head = git.git(folder, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD", check=False).text
    named = head.strip().removeprefix("origin/") or git.branch(folder)
    return "main" if named in ("HEAD", "") else named
