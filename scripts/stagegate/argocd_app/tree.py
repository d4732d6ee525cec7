"""The files of one commit, listed at once and read when they are needed."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stagegate.model import digest_of

_LINKS = 16  # links that lead to links; a loop ends here


class Entry(NamedTuple):
    """A file of a commit: the id of its content, and whether it is a symbolic link. Of a submodule `oid` is the
    commit of another repository, and nothing in it is read."""

    oid: str
    link: bool = False
    submodule: bool = False


Load = Callable[[Sequence[str]], Mapping[str, bytes]]


class Tree:
    """Paths of a commit with their ids. Contents come from `load`, several at once, and are kept."""

    def __init__(
        self, entries: Mapping[str, Entry], load: Load, contents: Mapping[str, bytes] | None = None
    ) -> None:
        self.entries = entries
        self._load = load
        self._contents = dict(contents or {})
        self._folders: frozenset[str] | None = None

    @property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file, at any depth; the root is the empty text."""
        if self._folders is None:
            folders = {""}
            for path in self.entries:
                parent = posixpath.dirname(path)
                while parent and parent not in folders:
                    folders.add(parent)
                    parent = posixpath.dirname(parent)
            self._folders = frozenset(folders)
        return self._folders

    def below(self, folder: str) -> list[str]:
        """Files in a folder and its folders, sorted; all of them for the root."""
        start = f"{folder}/" if folder else ""
        return sorted(path for path in self.entries if path.startswith(start))

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Contents of those that exist (of a link: the path it names)."""
        wanted = [
            path for path in dict.fromkeys(paths) if path in self.entries and not self.entries[path].submodule
        ]
        missing = [path for path in wanted if path not in self._contents]
        if missing:
            self._contents.update(self._load(missing))
        return {path: self._contents[path] for path in wanted if path in self._contents}

    def resolve(self, path: str) -> tuple[str, tuple[str, ...]]:
        """Where a path leads through links, and the links on the way; empty where it leaves the repository."""
        current = clean(path)
        links: list[str] = []
        for _ in range(_LINKS):
            link = self._link_in(current)
            if link is None:
                return current, tuple(links)
            links.append(link)
            target = self.read([link])[link].decode("utf-8", "replace")
            rest = current[len(link) :].lstrip("/")
            joined = posixpath.normpath(posixpath.join(posixpath.dirname(link), target, rest))
            if target.startswith("/") or joined.startswith(".."):
                return "", tuple(links)
            current = clean(joined)
        return "", tuple(links)

    def file(self, path: str) -> bytes | None:
        """Content of a file, links followed; None where there is none."""
        target, _ = self.resolve(path)
        return self.read([target]).get(target) if target else None

    def with_contents(self, contents: Mapping[str, bytes | None]) -> Tree:
        """The same commit with some files as an edit leaves them; None deletes."""
        entries = {path: entry for path, entry in self.entries.items() if contents.get(path, b"") is not None}
        kept = {path: data for path, data in self._contents.items() if path in entries}
        for path, data in contents.items():
            cached = self._contents.get(path)
            if data is not None and (cached is None or cached != data):
                oid = blob_id(data)
                if path not in entries or entries[path].oid != oid:
                    entries[path] = Entry(oid=oid)
            if data is not None:
                kept[path] = data
        return Tree(entries, self._load, kept)

    def _link_in(self, path: str) -> str | None:
        """The first part of a path that is a symbolic link."""
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            entry = self.entries.get("/".join(parts[:count]))
            if entry is not None and entry.link:
                return "/".join(parts[:count])
        return None


def blob_id(content: bytes) -> str:
    """The id that Git gives a file with this content: the same in every process, so that digests may contain it."""
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


def clean(path: str) -> str:
    """A path as Git writes it: no `./`, no slash at either end; the root is the empty text."""
    plain = posixpath.normpath(path.strip("/") or ".")
    return "" if plain == "." else plain


def inside(folder: str, path: str) -> str | None:
    """A path that something in a folder names, from the root of the repository; None where it leads outside.

    One that begins with a slash counts from the root, as in Argo CD.
    """
    plain = posixpath.normpath((path if path.startswith("/") else f"{folder}/{path}").lstrip("/") or ".")
    return None if plain == ".." or plain.startswith("../") else clean(plain)


def from_folder(folder: Path) -> Tree:
    """The files of a folder on disk as if they were a commit."""
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if (path.is_symlink() or path.is_file()) and ".git" not in path.relative_to(folder).parts
    ]
    names = {path.relative_to(folder).as_posix(): path for path in paths}

    def load(wanted: Sequence[str]) -> dict[str, bytes]:
        return {
            name: str(names[name].readlink()).encode()
            if names[name].is_symlink()
            else names[name].read_bytes()
            for name in wanted
        }

    entries = {
        name: Entry(oid=digest_of(load([name])[name].hex()), link=path.is_symlink())
        for name, path in names.items()
    }
    return Tree(entries, load)
