"""Reads the work tree for adoption: files that Git tracks or would track, tags, address and branch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stagegate import inside
from stagegate.argocd_app.tree import Entry, Tree
from stagegate.clients import git
from stagegate.errors import Stop

_HOST = re.compile(r"(?:(\w[\w+.-]*)://)?(?:[^/@]*@)?([\w.-]+|\[[\da-f:]+\])(:\d+(?=/))?")


class WorkTree(msgspec.Struct, frozen=True, kw_only=True):
    """Files, tags, `owner/name` (empty if origin has no such address) and the default branch, if known.

    `address` is where Argo CD reads the repository, by HTTPS.
    """

    tree: Tree
    tags: tuple[str, ...]
    repository: str
    address: str
    branch: str


def read(folder: Path, repository: str = "") -> WorkTree:
    """The work tree of a clone. Stop(missing-file) outside one."""
    if git.git(folder, "rev-parse", "--is-inside-work-tree", check=False).code:
        raise Stop(
            "missing-file",
            "This folder is not in a Git repository.",
            "init and doctor read the files that Git tracks, the tags, and the address of the "
            "remote `origin`.",
            "Run `git init`, or change to the folder of a repository.",
        )
    names = [name for name in git.files(folder) if inside.is_file(folder / name)]

    def load(names: Sequence[str]) -> dict[str, bytes]:
        files = {name: inside.file(folder, name) for name in names}
        return {name: place.read_bytes() for name, place in files.items() if place}

    origin = git.output(folder, "remote", "get-url", "origin")
    repository = repository or git.repository_of(origin)
    return WorkTree(
        tree=Tree({name: Entry(oid=name) for name in names}, load),
        tags=tuple(git.git(folder, "tag", "--list").text.split()),
        repository=repository,
        address=address_of(origin, repository),
        branch=_branch(folder),
    )


def address_of(origin: str, repository: str) -> str:
    """The address of `owner/name` for programs that read it, on the host of origin: no user in it, no SSH.

    A host without a dot is an alias of somebody's SSH configuration, and github.com where nothing tells it.
    """
    match = _HOST.match(origin) if git.repository_of(origin) else None
    scheme, host, port = match.groups() if match else ("", "", "")
    is_web = scheme in ("http", "https")
    if host == "ssh.github.com" or not (is_web or "." in host):
        host = "github.com"
    place = f"{scheme}://{host}{port or ''}" if is_web else f"https://{host}"
    return f"{place}/{repository or 'acme/app'}.git"


def _branch(folder: Path) -> str:
    """The branch of origin's HEAD, else the checked-out one, else main."""
    head = git.output(folder, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    named = head.removeprefix("origin/") or git.branch(folder)
    return "main" if named in ("HEAD", "") else named
