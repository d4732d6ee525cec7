"""Git's own files, written and read in this process: a git for each object would cost most of a test."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from lab.forge.git_reader import Found, GitError

_TREE_LINE = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)

# A tree in the making: a name leads to (mode, sha) of a file or submodule, or to a further folder.
Folder = dict[str, "tuple[str, str] | Folder"]


def write(repository: Path, kind: str, content: bytes) -> str:
    """Write a blob, tree, commit or tag into a bare repository, unless it is there; its sha."""
    content_with_header = b"%s %d\0%s" % (kind.encode(), len(content), content)
    sha = hashlib.sha1(content_with_header, usedforsecurity=False).hexdigest()
    path = repository / "objects" / sha[:2] / sha[2:]
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix="tmp_obj_", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(zlib.compress(content_with_header, 1))
        Path(name).chmod(0o444)
        Path(name).replace(path)
    return sha


def read(repository: Path, sha: str) -> Found | None:
    """The object of this full sha where git keeps it in a file of its own; None where it is packed or missing."""
    try:
        whole = zlib.decompress((repository / "objects" / sha[:2] / sha[2:]).read_bytes())
    except FileNotFoundError:
        return None
    head, _, content = whole.partition(b"\0")
    return Found(sha, head.split(b" ")[0].decode(), content)


def tree_lines(content: bytes) -> list[tuple[str, bytes, str]]:
    """(mode of six digits, name, sha) of each line of a raw tree."""
    return [(mode.decode().zfill(6), name, sha.hex()) for mode, name, sha in _TREE_LINE.findall(content)]


def tree(repository: Path, files: Mapping[str, tuple[str, str]]) -> str:
    """Write the tree, with its folders, of these paths and their (mode, sha); the sha of the root.

    GitError for a path that git refuses. Where one path is a folder of another, the later one stays, as
    `git update-index --index-info` has it.
    """
    root: Folder = {}
    for path, entry in files.items():
        *folders, name = path.split("/")
        if any(part.lower() in ("", ".", "..", ".git") or "\0" in part for part in (*folders, name)):
            raise GitError(f"Invalid path '{path}'")
        folder = root
        for part in folders:
            below = folder.get(part)
            if not isinstance(below, dict):
                below = folder[part] = {}
            folder = below
        folder[name] = entry
    return _write_folder(repository, root)


def _write_folder(repository: Path, folder: Folder) -> str:
    lines: list[tuple[bytes, bytes]] = []
    for name, entry in folder.items():
        if isinstance(entry, dict):
            mode, sha, order = "40000", _write_folder(repository, entry), f"{name}/"
        else:
            (mode, sha), order = entry, name
        lines.append(
            (order.encode(errors="surrogateescape"),
             f"{mode} {name}\0".encode(errors="surrogateescape") + bytes.fromhex(sha))
        )  # fmt: skip
    return write(repository, "tree", b"".join(line for _, line in sorted(lines)))


def ref(repository: Path, name: str) -> str | None:
    """The object that the ref of this full and valid name names, or None."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return (repository / name).read_text(encoding="utf-8").strip()
    return _packed(repository).get(name)


def refs(repository: Path) -> dict[str, str]:
    """Every ref below refs/ and the object it names, sorted by name."""
    listed = _packed(repository)
    for folder, _, names in os.walk(repository / "refs"):
        for name in names:
            path = Path(folder) / name
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                if path.suffix != ".lock":
                    listed[path.relative_to(repository).as_posix()] = path.read_text(encoding="utf-8").strip()
    return dict(sorted(listed.items()))


def _packed(repository: Path) -> dict[str, str]:
    try:
        lines = (repository / "packed-refs").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split(" ", 1) for line in lines if line[:1] not in ("#", "^"))
    return {name: sha for sha, name in pairs}
