"""Making objects in a bare repository: blobs, trees, commits, three-way merges; no work tree of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from lab.forge.git_objects import Signature
from lab.forge.git_reader import GitError
from lab.forge.git_store import Store


def blobs(store: Store, contents: Sequence[bytes]) -> list[str]:
    """Write many blobs with one git; their shas in the same order."""
    if not contents:
        return []
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / str(number) for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        listed = "".join(f"{path}\n" for path in paths).encode()
        return store.line("hash-object", "-w", "--no-filters", "--stdin-paths", data=listed).split()


def tree_with(store: Store, base: str | None, changes: Mapping[str, bytes | None]) -> str:
    """The tree `base` with files written (bytes) and deleted (None); modes of existing files stay."""
    written = {path: content for path, content in changes.items() if content is not None}
    shas = dict(zip(written, blobs(store, list(written.values())), strict=True))
    modes: dict[str, str] = {}
    if base and written:
        listed = store.git("ls-tree", "-z", base, "--", *written).decode(errors="replace")
        for line in filter(None, listed.split("\0")):
            about, _, path = line.partition("\t")
            modes[path] = about.split()[0]
    lines = [
        f"0 {'0' * 40}\t{path}" if content is None else f"{modes.get(path, '100644')} {shas[path]}\t{path}"
        for path, content in changes.items()
    ]
    return tree_of(store, base, lines)


def tree_of(store: Store, base: str | None, lines: Sequence[str]) -> str:
    """The tree `base` with lines of `update-index --index-info` applied (no NUL in a path)."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        if base:
            store.git("read-tree", base, env=env)
        # Deletions first, so that a file may become a folder in one commit.
        ordered = sorted(lines, key=lambda line: not line.startswith("0 "))
        store.git(
            "update-index",
            "-z",
            "--index-info",
            data="".join(f"{line}\0" for line in ordered).encode(),
            env=env,
        )
        return store.line("write-tree", env=env)


def commit(
    store: Store,
    tree: str,
    parents: Sequence[str],
    message: str,
    author: Signature,
    committer: Signature | None = None,
) -> str:
    """Write a commit object; its sha. No ref moves."""
    by = committer or author
    env = {
        "GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email, "GIT_AUTHOR_DATE": author.date,
        "GIT_COMMITTER_NAME": by.name, "GIT_COMMITTER_EMAIL": by.email, "GIT_COMMITTER_DATE": by.date,
    }  # fmt: skip
    above = [part for parent in parents for part in ("-p", parent)]
    return store.line("commit-tree", tree, *above, "-F", "-", data=message.encode(), env=env)


def tag(store: Store, name: str, target: str, kind: str, message: str, tagger: Signature) -> str:
    """Write an annotated tag object; its sha. No ref moves."""
    seconds = int(datetime.fromisoformat(tagger.date.replace("Z", "+00:00")).timestamp())
    head = (
        f"object {target}\ntype {kind}\ntag {name}\ntagger {tagger.name} <{tagger.email}> {seconds} +0000\n"
    )
    return store.line("mktag", data=f"{head}\n{message.rstrip(chr(10))}\n".encode())


def merged_tree(store: Store, base: str | None, ours: str, theirs: str) -> str | None:
    """The tree of a three-way merge, or None on a conflict (renames are not followed)."""
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
