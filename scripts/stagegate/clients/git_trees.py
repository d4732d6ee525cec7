"""Reads the files of a commit with `git ls-tree`."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from stagegate.clients import git
from stagegate.errors import Stop
from stagegate.model.git_files import FOLDER

_SHA1 = re.compile(r"[0-9a-f]{40}")
_OFFLINE = (
    "-c",
    "protocol.allow=never",
)  # do not fetch missing objects of a partial clone; GitHub's API is used instead

Entries = dict[str, tuple[str, str]]  # path -> object ID and Git's mode


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A file, link, submodule or folder, its name in the bytes that Git has. `mode` has six digits."""

    mode: str
    oid: str
    name: bytes


def rows(listed: bytes) -> Iterator[Row]:
    """The output of `git ls-tree -z`."""
    for line in listed.split(b"\0"):
        if line:
            about, _, name = line.partition(b"\t")
            mode, _, oid = about.decode("ascii").split(" ")
            yield Row(mode=mode, oid=oid, name=name)


def listed(folder: Path, commit: str, *paths: str) -> tuple[Row, ...]:
    """Every file and submodule of a commit, or those below some paths."""
    below = ("--", *paths) if paths else ()
    return tuple(rows(git.git(folder, "ls-tree", "-r", "-z", "--full-tree", commit, *below).stdout))


def contents(folder: Path, oids: Iterable[str]) -> dict[str, bytes]:
    """The contents of files by object ID, read by one git. Stop(missing-file) where one is not there."""
    object_ids = sorted(set(oids))
    raw = git.git(
        folder, "cat-file", "--batch", input="".join(f"{oid}\n" for oid in object_ids).encode()
    ).stdout
    by_oid: dict[str, bytes] = {}
    at = 0
    for oid in object_ids:
        end = raw.index(b"\n", at)
        about = raw[at:end].decode().split(" ")
        if about[:2] != [oid, "blob"]:
            raise Stop(
                "missing-file",
                f"The Git object {oid[:12]} is not in this checkout.",
                f"git reported: {' '.join(about)}.",
                "Check out the repository again, with every file of the commit.",
            )
        at = end + 1 + int(about[2])
        by_oid[oid] = raw[end + 1 : at]
        at += 1
    return by_oid


def proven(folder: Path, commit: str) -> Entries | None:
    """Every file and submodule of a commit; None where the repository does not prove to have it as a whole.

    A step before could have put anything into the `.git` of a work tree. So every ID is computed again, from the
    files up to the commit.
    """
    if not _SHA1.fullmatch(commit):
        return None
    try:
        header = git.git(folder, *_OFFLINE, "cat-file", "commit", commit, check=False)
        tree = git.git(folder, *_OFFLINE, "ls-tree", "-r", "-t", "-z", "--full-tree", commit, check=False)
    except (Stop, OSError):
        return None
    root = re.match(rb"tree ([0-9a-f]{40})\n", header.stdout)
    if header.code or tree.code or root is None or _id(b"commit", header.stdout) != commit:
        return None
    return _checked(tree.stdout, root[1].decode())


def _checked(listed: bytes, root: str) -> Entries | None:
    """The files of a list where its folders have the IDs that they must have."""
    files: Entries = {}
    folders, contents = {"": root}, {"": b""}
    try:
        for row in rows(listed):
            path = row.name.decode()
            parent, name = posixpath.split(path)
            # In the object itself the mode of a folder has no leading zero.
            contents[parent] += b"%s %s\0" % (row.mode.lstrip("0").encode(), name.encode()) + bytes.fromhex(
                row.oid
            )
            if row.mode == FOLDER:
                folders[path], contents[path] = row.oid, b""
            else:
                files[path] = (row.oid, row.mode)
    except (ValueError, KeyError):
        return None
    return files if all(_id(b"tree", contents[path]) == oid for path, oid in folders.items()) else None


def _id(kind: bytes, content: bytes) -> str:
    """Git's ID of an object."""
    return hashlib.sha1(b"%s %d\0" % (kind, len(content)) + content, usedforsecurity=False).hexdigest()
