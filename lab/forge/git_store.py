"""Reading a bare repository, and moving its refs by compare-and-swap.

A git of its own for each question would be most of the cost of a test. So small and ordinary questions are answered
in this process, from git's own files; git answers everything else.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

from lab.forge import git_history, git_loose, git_moves
from lab.forge.git_moves import Move
from lab.forge.git_objects import Change, Commit, Entry, Tag, changes_of, commit_of, tag_of
from lab.forge.git_reader import Found, GitError, Reader, environment

SHA = re.compile(r"[0-9a-f]{40}")
_NO_REF = re.compile(r"[\0-\x20\x7f~^:?*\[\\]|\.\.|@\{|/\.|\.lock(/|$)")
FOLDER, SUBMODULE = "040000", "160000"
MOST = "--max-count="


@dataclass(frozen=True)
class Store:
    """One bare repository on disk."""

    path: Path
    reader: Reader = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reader", Reader(self.path))

    def git(
        self,
        *argv: str,
        data: bytes | None = None,
        env: Mapping[str, str] | None = None,
        codes: Iterable[int] = (0,),
    ) -> bytes:
        """Run git in this repository; its standard output. GitError when the exit code is not in `codes`."""
        completed = subprocess.run(
            ["git", "--git-dir", str(self.path), *argv],
            input=b"" if data is None else data,
            capture_output=True,
            env=environment(env),
            check=False,
        )
        if completed.returncode not in tuple(codes):
            raise GitError(
                completed.stderr.decode(errors="replace").strip() or f"git {argv[0]}: {completed.returncode}"
            )
        return completed.stdout

    def line(self, *argv: str, data: bytes | None = None, env: Mapping[str, str] | None = None) -> str:
        """Like `git`, as stripped text."""
        return self.git(*argv, data=data, env=env).decode(errors="replace").strip()

    def resolve(self, rev: str) -> str | None:
        """The object `rev` names, or None."""
        stored = self._stored(rev)
        return stored.sha if stored else None

    def type_of(self, sha: str) -> str | None:
        """commit, tree, blob, tag, or None when there is no such object."""
        stored = self._stored(sha)
        return stored.type if stored else None

    def commit_of(self, rev: str) -> str | None:
        """The commit that `rev` (branch, tag, sha, HEAD) leads to, or None; branches win over tags."""
        branch = self.ref(f"refs/heads/{rev}")
        if branch and self.type_of(branch) == "commit":
            return branch
        return rev if self._is_commit(rev) else self.resolve(f"{rev}^{{commit}}")

    def ref(self, name: str) -> str | None:
        """What the fully qualified ref points to, or None."""
        if not name.startswith("refs/") or _NO_REF.search(name):
            return None  # git would read `refs/heads/main~1` as another commit
        sha = git_loose.ref(self.path, name)
        return sha if sha and self.type_of(sha) else None

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """All refs below a prefix (or equal to it), sorted by name; internal pull refs are left out."""
        return {
            name: sha
            for name, sha in git_loose.refs(self.path).items()
            if name.startswith(prefix) and not name.startswith("refs/pull/")
        }

    def object(self, sha: str) -> bytes:
        """The raw content of an object. GitError when there is none."""
        stored = self._stored(sha)
        if stored is None:
            raise GitError(f"there is no object {sha}")
        return stored.content

    def _stored(self, name: str) -> Found | None:
        loose = git_loose.read(self.path, name) if SHA.fullmatch(name) else None
        return loose or self.reader.find(name)

    def _is_commit(self, name: str) -> bool:
        return SHA.fullmatch(name) is not None and self.type_of(name) == "commit"

    def commit(self, sha: str) -> Commit:
        """A commit, parsed."""
        return _commit(self, sha)

    def tag(self, sha: str) -> Tag:
        """An annotated tag, parsed."""
        return tag_of(sha, self.object(sha))

    def entries(self, tree: str, *, recursive: bool = False) -> list[Entry]:
        """The lines of a tree-ish; `recursive`: those of its folders too, each below its folder."""
        lines = _lines(self, self._tree(tree))
        return [line for line in lines if recursive or "/" not in line.path]

    def files(self, tree: str) -> dict[str, tuple[str, str]]:
        """Every path below a tree-ish, with its (mode, sha); bytes that are no UTF-8 survive as surrogates."""
        return dict(_files(self, self._tree(tree)))

    def _tree(self, name: str) -> str:
        sha = self.resolve(f"{name}^{{tree}}") if not self._is_commit(name) else self.commit(name).tree
        if sha is None:
            raise GitError(f"Not a valid object name {name}")
        return sha

    def at(self, rev: str, path: str) -> str | None:
        """The object at `path` in `rev`, or None; an empty path is the root tree."""
        return (
            self.resolve(f"{rev}:{path.strip('/')}") if path.strip("/") else self.resolve(f"{rev}^{{tree}}")
        )

    def is_ancestor(self, older: str, newer: str) -> bool:
        """True when `older` is reachable from `newer` (or the same)."""
        return older == newer or _is_ancestor(self, older, newer)

    def merge_base(self, first: str, second: str) -> str | None:
        """The best common ancestor of two commits (shas), or None for unrelated histories."""
        return _merge_base(self, first, second)

    def rev_list(self, *argv: str) -> list[str]:
        """Shas that `git rev-list` prints."""
        return list(_rev_list(self, *argv)) if fixed(argv) else self.git("rev-list", *argv).decode().split()

    def changes(self, before: str, after: str) -> list[Change]:
        """Changed files between two tree-ishes, renames found."""
        flags = ("-r", "-M", "-z", "--no-commit-id")
        output = self._fixed("diff-tree", *flags, "--raw", "--numstat", before, after).decode(
            errors="replace"
        )
        return changes_of(output.split("\0"))

    def paths(self, before: str, after: str) -> tuple[str, ...]:
        """Names of the changed files, both names of a rename."""
        old, new = self.files(before), self.files(after)
        changed = {path for path, _ in old.items() ^ new.items()}
        return tuple(sorted(changed, key=os.fsencode))

    def _fixed(self, *argv: str) -> bytes:
        """Like `git`; asked once for ever where every object is named by its sha, because those never change."""
        return _fixed(self, *argv) if fixed(argv[1:]) else self.git(*argv)

    def move(self, moves: Sequence[Move]) -> None:
        """All moves or none, in one transaction; GitError when a ref is not what `before` says."""
        if not git_moves.ordinary(self.path, moves, self.type_of) or not git_moves.apply(self.path, moves):
            self.git("update-ref", "--stdin", data=git_moves.lines(moves).encode())


def fixed(argv: Sequence[str]) -> bool:
    """Whether these arguments name objects only by their sha, so that the result never changes."""
    named = [word.lstrip("^") for word in argv if not word.startswith("-")]
    return bool(named) and all(map(SHA.fullmatch, named))


@lru_cache(maxsize=1024)
def valid_ref(name: str) -> bool:
    """GitHub's rule for names of refs: git's own."""
    if git_moves.plain(name):
        return True
    if "\0" in name or "\n" in name:
        return False
    completed = subprocess.run(
        ["git", "check-ref-format", name], env=environment(), capture_output=True, check=False
    )
    return completed.returncode == 0


@lru_cache(maxsize=1024)
def _fixed(store: Store, *argv: str) -> bytes:
    return store.git(*argv)


@lru_cache(maxsize=4096)
def _commit(store: Store, sha: str) -> Commit:
    return commit_of(sha, store.object(sha))


@lru_cache(maxsize=4096)
def _is_ancestor(store: Store, older: str, newer: str) -> bool:
    try:
        return older in git_history.ancestors(store.commit, [newer])
    except git_history.TooLarge:
        return not store.git("rev-list", "--max-count=1", older, f"^{newer}")
    except GitError:
        return False


@lru_cache(maxsize=4096)
def _merge_base(store: Store, first: str, second: str) -> str | None:
    with contextlib.suppress(git_history.TooLarge):
        bases = git_history.merge_bases(store.commit, first, second)
        if len(bases) < 2:
            return next(iter(bases), None)
    base = store.git("merge-base", first, second, codes=(0, 1)).decode().strip()
    return base.split("\n")[0] or None


@lru_cache(maxsize=1024)
def _rev_list(store: Store, *argv: str) -> tuple[str, ...]:
    most = next((int(word.removeprefix(MOST)) for word in argv if word.startswith(MOST)), None)
    shas = [word for word in argv if not word.startswith("-")]
    others = [word for word in argv if word.startswith("-") and not word.startswith(MOST)]
    if others in ([], ["--"]) or (others == ["--reverse"] and most is None):
        tips = [sha for sha in shas if not sha.startswith("^")]
        hidden = [sha[1:] for sha in shas if sha.startswith("^")]
        with contextlib.suppress(git_history.TooLarge):
            listed = tuple(islice(git_history.newest_first(store.commit, tips, hidden), most))
            return listed[::-1] if others == ["--reverse"] else listed
    return tuple(store.git("rev-list", *argv).decode().split())


@lru_cache(maxsize=4096)
def _files(store: Store, tree: str) -> dict[str, tuple[str, str]]:
    files: dict[str, tuple[str, str]] = {}
    for mode, name, sha in git_loose.tree_lines(store.object(tree)):
        path = os.fsdecode(name)
        if mode == FOLDER:
            files |= {f"{path}/{below}": entry for below, entry in _files(store, sha).items()}
        else:
            files[path] = (mode, sha)
    return files


@lru_cache(maxsize=4096)
def _lines(store: Store, tree: str) -> tuple[Entry, ...]:
    lines: list[Entry] = []
    for mode, name, sha in git_loose.tree_lines(store.object(tree)):
        path = name.decode(errors="replace")
        if mode == FOLDER:
            below = [replace(line, path=f"{path}/{line.path}") for line in _lines(store, sha)]
            lines += [Entry(mode, "tree", sha, None, path), *below]
        elif mode == SUBMODULE:
            lines.append(Entry(mode, "commit", sha, None, path))
        else:
            lines.append(Entry(mode, "blob", sha, len(store.object(sha)), path))
    return tuple(lines)
