"""Makes objects in a bare repository without a work tree: blobs, trees, commits, three-way merges."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from lab.forge import git_loose
from lab.forge.git_objects import Signature
from lab.forge.git_reader import GitError
from lab.forge.git_store import Store

_DROPPED = "".join(map(chr, range(33))) + ",:;<>\"\\'"  # around a name or address, as git has it


def blobs(store: Store, contents: Sequence[bytes]) -> list[str]:
    """Write many blobs; their shas in the same order."""
    return [git_loose.write(store.path, "blob", content) for content in contents]


def tree_with(store: Store, base: str | None, changes: Mapping[str, bytes | None]) -> str:
    """The tree `base` with files written (bytes) and deleted (None); modes of existing files stay."""
    files = store.files(base) if base else {}
    lines = [
        f"0 {'0' * 40}\t{path}"
        if content is None
        else f"{files.get(path, ('100644',))[0]} {git_loose.write(store.path, 'blob', content)}\t{path}"
        for path, content in changes.items()
    ]
    return tree_of(store, base, lines)


def tree_of(store: Store, base: str | None, lines: Sequence[str]) -> str:
    """The tree `base` with lines `mode sha TAB path` applied; mode 0 deletes. GitError for a path git refuses."""
    files = store.files(base) if base else {}
    # Deletions first, so that a file may become a folder in one commit.
    for line in sorted(lines, key=lambda line: not line.startswith("0 ")):
        about, _, path = line.partition("\t")
        mode, sha = about.split()
        files.pop(path, None)
        if mode != "0":
            files[path] = (mode, sha)
    return git_loose.tree(store.path, files)


def commit(
    store: Store,
    tree: str,
    parents: Sequence[str],
    message: str,
    author: Signature,
    committer: Signature | None = None,
) -> str:
    """Write a commit object; its sha. No ref moves."""
    lines = [
        f"tree {tree}",
        *(f"parent {parent}" for parent in parents),
        f"author {_ident(author)}",
        f"committer {_ident(committer or author)}",
    ]
    text = "\n".join(lines) + f"\n\n{message}"
    return git_loose.write(store.path, "commit", text.encode())


def _ident(by: Signature) -> str:
    """Name, address and moment as git writes them: without the characters it drops, `seconds +HHMM` at the end."""
    try:
        moment = datetime.fromisoformat(by.date.replace("Z", "+00:00"))
    except ValueError:
        raise GitError(f"invalid date format: {by.date}") from None
    name, email = (re.sub(r"[<>\n]", "", text).strip(_DROPPED) for text in (by.name, by.email))
    if not name:
        raise GitError(f"empty ident name (for <{email}>) not allowed")
    offset = moment.strftime("%z") or "+0000"
    return f"{name} <{email}> {int(moment.timestamp())} {offset}"


def tag(store: Store, name: str, target: str, kind: str, message: str, tagger: Signature) -> str:
    """Write an annotated tag object; its sha. No ref moves."""
    seconds = int(datetime.fromisoformat(tagger.date.replace("Z", "+00:00")).timestamp())
    head = (
        f"object {target}\ntype {kind}\ntag {name}\ntagger {tagger.name} <{tagger.email}> {seconds} +0000\n"
    )
    return store.line("mktag", data=f"{head}\n{message.rstrip(chr(10))}\n".encode())


def merged_tree(store: Store, base: str | None, ours: str, theirs: str) -> str | None:
    """The tree of a three-way merge, or None on a conflict (renames are not followed)."""
    old, left, right = (store.files(tree) if tree else {} for tree in (base, ours, theirs))
    merged, both = dict(left), False
    for path in {path for path, _ in old.items() ^ right.items()}:
        if left.get(path) == old.get(path):
            merged.pop(path, None)
            merged |= {path: right[path]} if path in right else {}
        else:
            both = both or left.get(path) != right.get(path)
    folders = {path[:end] for path in merged for end, sign in enumerate(path) if sign == "/"}
    if both or folders & merged.keys():  # the same file changed on both sides, or a file where a folder is
        return merged_by_git(store, base, ours, theirs)
    return git_loose.tree(store.path, merged)


def merged_by_git(store: Store, base: str | None, ours: str, theirs: str) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index"), "GIT_WORK_TREE": folder}
        common = base or store.line("hash-object", "-w", "-t", "tree", "/dev/null")
        try:
            store.git("read-tree", "-i", "-m", "--aggressive", common, ours, theirs, env=env)
            if store.git("ls-files", "--unmerged", env=env):
                store.git("merge-index", "-o", "-q", "git-merge-one-file", "-a", env=env)
            return store.line("write-tree", env=env)
        except GitError:
            return None
