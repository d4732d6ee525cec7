"""Moving refs of a bare repository by compare-and-swap, with git's own lock files and without a git process."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.forge import git_loose
from lab.forge.git_reader import GitError
from lab.forge.values import ZERO

_PLAIN = re.compile(r"refs(/[A-Za-z0-9_][A-Za-z0-9_+-]*(\.[A-Za-z0-9_+-]+)*){2,}")


@dataclass(frozen=True)
class Move:
    """A requested ref change. `before` None: any current value; ZERO: must not exist. `after` ZERO: delete."""

    name: str
    after: str
    before: str | None = None
    force: bool = False


def plain(name: str) -> bool:
    """Whether this full name of a ref is certainly valid; False where only git can decide."""
    return _PLAIN.fullmatch(name) is not None and not re.search(r"\.lock(/|$)", name)


def lines(moves: Sequence[Move]) -> str:
    """The moves as `git update-ref --stdin` reads them."""
    words = [
        ["delete", move.name] if move.after == ZERO else ["update", move.name, move.after] for move in moves
    ]
    for line, move in zip(words, moves, strict=True):
        line += [move.before] if move.before else []
    return "".join(f"{' '.join(line)}\n" for line in words)


def ordinary(repository: Path, moves: Sequence[Move], type_of: Callable[[str], str | None]) -> bool:
    """Whether `apply` can do this: plain names, each once, of loose refs, and no name above another."""
    names = {move.name for move in moves}
    if len(names) < len(moves) or (repository / "packed-refs").exists():
        return False
    return all(
        plain(move.name)
        and not (repository / move.name).is_dir()
        and not any(parent in names or (repository / parent).is_file() for parent in _above(move.name))
        and (move.after == ZERO or _may_point(move.name, type_of(move.after)))
        for move in moves
    )


def apply(repository: Path, moves: Sequence[Move]) -> bool:
    """Carry out ordinary moves. False, with nothing done, when a ref is not what its `before` says.

    The caller then lets git refuse them, in git's own words.
    """
    with contextlib.ExitStack() as locks:
        for move in sorted(moves, key=lambda move: move.name):
            locks.enter_context(_locked(repository / f"{move.name}.lock"))
        for move in moves:
            now = git_loose.ref(repository, move.name) or ZERO
            if move.before not in (None, "", now) or (move.after == ZERO == now):
                return False
        for move in moves:
            path = repository / move.name
            if move.after == ZERO:
                path.unlink()
            else:
                fresh = path.with_name(f"{path.name}.lock")
                fresh.write_text(f"{move.after}\n", encoding="utf-8")
                fresh.replace(path)
    return True


@contextlib.contextmanager
def _locked(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        raise GitError(f"Unable to create '{lock}': File exists.") from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _may_point(name: str, kind: str | None) -> bool:
    return kind == "commit" or (kind is not None and name.startswith("refs/tags/"))


def _above(name: str) -> list[str]:
    """`refs/heads/a` of `refs/heads/a/b`."""
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(3, len(parts))]
