"""Reading a bare repository, and moving its refs by compare-and-swap, with git's own plumbing."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from lab.forge import git_loose
from lab.forge.git_objects import Change, Commit, Entry, Tag, changes_of, commit_of, entry, tag_of
from lab.forge.git_reader import GitError, Reader, environment
from lab.forge.values import ZERO

SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Move:
    """A requested ref change. `before` None: any current value; ZERO: must not exist. `after` ZERO: delete."""

    name: str
    after: str
    before: str | None = None
    force: bool = False


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
        stored = self.reader.find(rev)
        return stored.sha if stored else None

    def type_of(self, sha: str) -> str | None:
        """commit, tree, blob, tag, or None when there is no such object."""
        stored = self.reader.find(sha)
        return stored.type if stored else None

    def commit_of(self, rev: str) -> str | None:
        """The commit that `rev` (branch, tag, sha, HEAD) leads to, or None; branches win over tags."""
        for candidate in (f"refs/heads/{rev}", rev):
            if sha := self.resolve(f"{candidate}^{{commit}}"):
                return sha
        return None

    def ref(self, name: str) -> str | None:
        """What the fully qualified ref points to, or None."""
        return self.reader.ref(name)

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """All refs below a prefix (or equal to it), sorted by name; internal pull refs are left out."""
        return {
            name: sha
            for name, sha in git_loose.refs(self.path).items()
            if name.startswith(prefix) and not name.startswith("refs/pull/")
        }

    def object(self, sha: str) -> bytes:
        """The raw content of an object. GitError when there is none."""
        stored = self.reader.find(sha)
        if stored is None:
            raise GitError(f"there is no object {sha}")
        return stored.content

    def commit(self, sha: str) -> Commit:
        """A commit, parsed."""
        return _commit(self, sha)

    def tag(self, sha: str) -> Tag:
        """An annotated tag, parsed."""
        return tag_of(sha, self.object(sha))

    def entries(self, tree: str, *, recursive: bool = False) -> list[Entry]:
        """The lines of a tree-ish."""
        flags = ("-r", "-t") if recursive else ()
        listed = self._fixed("ls-tree", "-z", "-l", *flags, "--end-of-options", tree).decode(errors="replace")
        return [entry(line) for line in listed.split("\0") if line]

    def files(self, tree: str) -> dict[str, tuple[str, str]]:
        """Every path below a tree-ish, with its (mode, sha); bytes that are no UTF-8 survive as surrogates."""
        listed = self._fixed("ls-tree", "-z", "-r", "--end-of-options", tree).decode(errors="surrogateescape")
        lines = [line.partition("\t") for line in listed.split("\0") if line]
        return {path: (about.split()[0], about.split()[2]) for about, _, path in lines}

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
        return self._fixed("rev-list", *argv).decode().split()

    def changes(self, before: str, after: str) -> list[Change]:
        """Changed files between two tree-ishes, renames found."""
        flags = ("-r", "-M", "-z", "--no-commit-id")
        output = self._fixed("diff-tree", *flags, "--raw", "--numstat", before, after).decode(
            errors="replace"
        )
        return changes_of(output.split("\0"))

    def paths(self, before: str, after: str) -> tuple[str, ...]:
        """Names of the changed files, both names of a rename."""
        listed = self._fixed("diff-tree", "-r", "-z", "--no-commit-id", "--name-only", before, after)
        return tuple(name for name in listed.decode(errors="replace").split("\0") if name)

    def _fixed(self, *argv: str) -> bytes:
        """Like `git`; asked once for ever where every object is named by its sha, because those never change."""
        named = [word.lstrip("^") for word in argv[1:] if not word.startswith("-")]
        fixed = named and all(map(SHA.fullmatch, named))
        return _fixed(self, *argv) if fixed else self.git(*argv)

    def move(self, moves: Sequence[Move]) -> None:
        """All moves or none, in one transaction; GitError when a ref is not what `before` says."""
        lines = [
            ["delete", move.name] if move.after == ZERO else ["update", move.name, move.after]
            for move in moves
        ]
        for line, move in zip(lines, moves, strict=True):
            line += [move.before] if move.before else []
        self.git("update-ref", "--stdin", data="".join(f"{' '.join(line)}\n" for line in lines).encode())


@lru_cache(maxsize=1024)
def valid_ref(name: str) -> bool:
    """GitHub's rule for names of refs: git's own."""
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
        store.git("merge-base", "--is-ancestor", older, newer)
    except GitError:
        return False
    return True


@lru_cache(maxsize=4096)
def _merge_base(store: Store, first: str, second: str) -> str | None:
    base = store.git("merge-base", first, second, codes=(0, 1)).decode().strip()
    return base.split("\n")[0] or None
