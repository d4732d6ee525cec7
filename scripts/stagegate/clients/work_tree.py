"""The files of a commit as the Git of a work tree lists them, believed only where they prove to be that commit.

A step before could have put anything into `.git`. So every ID is computed again, from the files up to the commit.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from pathlib import Path

from stagegate.clients import git
from stagegate.errors import Stop

_SHA1 = re.compile(r"[0-9a-f]{40}")
_FOLDER = b"040000"  # as `ls-tree` writes the mode, which the object has without the zero
_OFFLINE = (
    "-c",
    "protocol.allow=never",
)  # a partial clone fetches what it lacks; GitHub's API is asked instead

Entries = dict[str, tuple[str, str]]


def entries(folder: Path, commit: str) -> Entries | None:
    """Every file and submodule with its object ID and Git's mode; None: it is not here as a whole."""
    if not _SHA1.fullmatch(commit):
        return None
    try:
        header = git.git(folder, *_OFFLINE, "cat-file", "commit", commit, check=False)
        listed = git.git(folder, *_OFFLINE, "ls-tree", "-r", "-t", "-z", "--full-tree", commit, check=False)
    except (Stop, OSError):
        return None
    root = re.match(rb"tree ([0-9a-f]{40})\n", header.stdout)
    if header.code or listed.code or root is None or _id(b"commit", header.stdout) != commit:
        return None
    return _proven(listed.stdout, root[1].decode())


def _proven(listed: bytes, root: str) -> Entries | None:
    """The files of a list where its folders have the IDs that they must have."""
    files: Entries = {}
    folders, contents = {"": root}, {"": b""}
    try:
        for row in listed.split(b"\0")[:-1]:
            about, _, name = row.partition(b"\t")
            mode, _, oid = about.split()
            path = name.decode()
            parent, own = posixpath.split(path)
            content = mode.lstrip(b"0") + b" " + own.encode() + b"\0" + bytes.fromhex(oid.decode())
            contents[parent] += content
            if mode == _FOLDER:
                folders[path], contents[path] = oid.decode(), b""
            else:
                files[path] = (oid.decode(), mode.decode())
    except (ValueError, KeyError):
        return None
    return files if all(_id(b"tree", contents[path]) == oid for path, oid in folders.items()) else None


def _id(kind: bytes, content: bytes) -> str:
    """Git's ID of an object."""
    return hashlib.sha1(b"%s %d\0" % (kind, len(content)) + content, usedforsecurity=False).hexdigest()
