"""The forge writes the same objects as git: git's own commands give the same ids, and fsck reports nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from lab.forge import git_loose, git_moves, git_write
from lab.forge.git_moves import Move
from lab.forge.git_objects import Signature
from lab.forge.git_reader import GitError
from lab.forge.git_store import Store
from lab.forge.values import ZERO

NAMES = ("a", "b", "a-b", "a.b", "a0", "é", "two words", "B")
PEOPLE = (
    Signature("octo-dev", "octo-dev@example.com", "2026-11-28T10:00:00Z"),
    Signature(' "Octo <Lead>, ', "<octo-lead@example.com>;", "2026-11-28T10:00:00+05:30"),
    Signature("Zoë", "zoe@example.com", "1999-12-31T23:59:59-01:00"),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "a.git")
    made.git("init", "--quiet", "--bare", str(made.path))
    return made


def by_git(store: Store, base: str | None, lines: list[str], folder: Path) -> str:
    env = {"GIT_INDEX_FILE": str(folder / "index")}
    store.git("read-tree", *([base] if base else ["--empty"]), env=env)
    data = "".join(f"{line}\0" for line in sorted(lines, key=lambda line: not line.startswith("0 ")))
    store.git("update-index", "-z", "--index-info", data=data.encode(), env=env)
    return store.line("write-tree", env=env)


def test_trees_and_commits_are_those_of_git(store: Store, tmp_path: Path) -> None:
    choice = random.Random(11)  # noqa: S311 - the same files in every run
    base: str | None = None
    parent: list[str] = []
    for number in range(25):
        lines = []
        for _ in range(choice.randint(1, 6)):
            path = "/".join(choice.choices(NAMES, k=choice.randint(1, 3)))
            blob = git_write.blobs(store, [f"{number} {path}\n".encode()])[0]
            mode = choice.choice(("100644", "100644", "100755", "120000", "0"))
            lines.append(f"{mode} {'0' * 40 if mode == '0' else blob}\t{path}")
        expected = by_git(store, base, lines, tmp_path)
        assert git_write.tree_of(store, base, lines) == expected, lines
        author, committer = choice.choice(PEOPLE), choice.choice(PEOPLE)
        message = choice.choice(("feat: é", "fix: b\n\nbody\n", ""))
        env = {
            "GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email, "GIT_AUTHOR_DATE": author.date,
            "GIT_COMMITTER_NAME": committer.name, "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": committer.date,
        }  # fmt: skip
        above = [word for sha in parent for word in ("-p", sha)]
        wanted = store.line("commit-tree", expected, *above, "-F", "-", data=message.encode(), env=env)
        sha = git_write.commit(store, expected, parent, message, author, committer)
        assert store.object(sha) == store.object(wanted)
        base, parent = expected, [wanted]
    assert store.git("fsck", "--strict", "--no-dangling") == b""


def test_paths_that_git_refuses(store: Store) -> None:
    blob = git_write.blobs(store, [b"x"])[0]
    for path in (".git/config", "a/.GIT/config", "../a", "a//b", "a/", "."):
        with pytest.raises(GitError, match="Invalid path"):
            git_write.tree_of(store, None, [f"100644 {blob}\t{path}"])


def test_refs_are_read_loose_and_packed(store: Store) -> None:
    tree = git_write.tree_of(store, None, [f"100644 {git_write.blobs(store, [b'x'])[0]}\ta"])
    first, second = (git_write.commit(store, tree, [], text, PEOPLE[0]) for text in ("one", "two"))
    tag = git_write.tag(store, "v1", first, "commit", "v1", PEOPLE[0])
    for name, sha in (("refs/heads/main", first), ("refs/heads/a/b", first), ("refs/tags/v1", tag)):
        store.git("update-ref", name, sha)
    store.git("pack-refs", "--all")
    store.git("update-ref", "refs/heads/main", second)
    store.git("update-ref", "-d", "refs/heads/a/b")
    listed = store.git("for-each-ref", "--format=%(refname) %(objectname)").decode().split()
    assert git_loose.refs(store.path) == dict(zip(listed[::2], listed[1::2], strict=True))


def test_histories_are_walked_as_git_walks_them(store: Store) -> None:
    """Merges, side lines, several roots, equal and skewed dates: the order is git's, and so are the ancestors."""
    choice = random.Random(5)  # noqa: S311 - the same histories in every run
    tree = git_write.tree_of(store, None, [f"100644 {git_write.blobs(store, [b'x'])[0]}\ta"])
    for history in range(6):
        shas: list[str] = []
        for number in range(choice.randint(2, 25)):
            parents = choice.sample(shas, min(len(shas), choice.choice((0, 1, 1, 1, 1, 2, 3))))
            by = Signature("a", "a@example.com", f"2026-11-28T10:00:{choice.randint(0, 9):02}Z")
            shas.append(git_write.commit(store, tree, parents, f"{history} {number}", by))
        for _ in range(8):
            left, right = choice.choices(shas, k=2)
            asked = (
                *(["--reverse", left, f"^{right}"], [left, f"^{right}"], [left, "--"], [left, right]),
                *(["--max-count=3", left, f"^{right}"], ["--max-count=0", left], ["--first-parent", left]),
            )
            for argv in asked:
                assert store.rev_list(*argv) == store.git("rev-list", *argv).decode().split(), argv
            bases = store.git("merge-base", left, right, codes=(0, 1)).decode().split()
            assert store.merge_base(left, right) == next(iter(bases), None)
            older = store.git("rev-list", right).decode().split()
            assert store.is_ancestor(left, right) == (left in older)


def test_listings_are_those_of_git(store: Store) -> None:
    blob = git_write.blobs(store, ["é\n".encode()])[0]
    lines = [f"100644 {blob}\ta b/c", f"100755 {blob}\ta b/d.sh", f"120000 {blob}\ta-b", f"100644 {blob}\té"]
    tree = git_write.tree_of(store, None, [*lines, f"160000 {'1' * 40}\tmodule"])
    other = git_write.tree_of(store, tree, [f"100644 {git_write.blobs(store, [b'new'])[0]}\ta b/c", "0 0\té"])
    for recursive in (False, True):
        flags = ("-r", "-t") if recursive else ()
        listed = store.git("ls-tree", "-z", "-l", *flags, tree).decode().split("\0")[:-1]
        assert [
            f"{one.mode} {one.type} {one.sha} {'-' if one.size is None else one.size:>7}\t{one.path}"
            for one in store.entries(tree, recursive=recursive)
        ] == listed
    names = store.git("diff-tree", "-r", "-z", "--name-only", tree, other).decode().split("\0")[:-1]
    assert store.paths(tree, other) == tuple(names)


def refuses(act: Callable[..., object], *given: object) -> bool:
    try:
        act(*given)
    except GitError:
        return True
    return False


def test_refs_move_as_git_moves_them(tmp_path: Path) -> None:
    """The same moves by the forge and by git leave the same refs, and both refuse the same moves."""
    choice = random.Random(3)  # noqa: S311 - the same moves in every run
    ours, gits = Store(tmp_path / "ours.git"), Store(tmp_path / "git.git")
    for made in (ours, gits):
        made.git("init", "--quiet", "--bare", str(made.path))
        tree = git_write.tree_of(made, None, [f"100644 {git_write.blobs(made, [b'x'])[0]}\ta"])
        shas = [git_write.commit(made, tree, [], text, PEOPLE[0]) for text in ("one", "two", "three")]
    names = [
        *("refs/heads/main", "refs/heads/a", "refs/heads/a/b", "refs/heads/a/b/c", "refs/tags/v1"),
        *("refs/heads/a..b", "refs/heads/x.lock", "refs/heads/é"),
    ]
    refused = 0
    for number in range(100):
        if number == 80:
            for made in (ours, gits):
                made.git("pack-refs", "--all")
        moves = []
        for name in choice.sample(names, choice.choice((1, 1, 2, 3))):
            after = choice.choice((*shas, *shas, ZERO, choice.choice((tree, "f" * 40))))
            before = choice.choice((None, None, None, ours.ref(name) or ZERO, choice.choice((*shas, ZERO))))
            moves.append(Move(name, after, before))
        data = git_moves.lines(moves).encode()
        by_us = refuses(ours.move, moves)
        by_git = refuses(partial(gits.git, "update-ref", "--stdin", data=data))
        assert by_us == by_git, moves
        refused += by_git
        assert git_loose.refs(ours.path) == git_loose.refs(gits.path), moves
    assert 20 < refused < 80
    assert not list(ours.path.rglob("*.lock"))


def test_merged_trees_are_those_of_git(store: Store) -> None:
    choice = random.Random(7)  # noqa: S311 - the same merges in every run
    names = ("a", "b", "c/d", "c/e", "c", "f/g/h")
    texts = [f"{number}\n" * 3 for number in range(3)]
    outcomes = set()
    for _ in range(40):
        trees: list[str] = []
        for _ in range(3):
            files = choice.sample(names, 4)
            lines = [
                f"100644 {git_write.blobs(store, [choice.choice(texts).encode()])[0]}\t{path}"
                for path in files
                if not (path == "c" and {"c/d", "c/e"} & set(files))
            ]
            trees.append(
                git_write.tree_of(store, trees[0] if trees and choice.random() < 0.8 else None, lines)
            )
        base, ours, theirs = trees
        expected = git_write.merged_by_git(store, base, ours, theirs)
        assert git_write.merged_tree(store, base, ours, theirs) == expected
        outcomes.add(expected is None)
    assert outcomes == {True, False}
