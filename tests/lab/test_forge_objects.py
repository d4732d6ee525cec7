"""The forge writes the same objects as git: git's own commands give the same ids, and fsck reports nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lab.forge import git_loose, git_write
from lab.forge.git_objects import Signature
from lab.forge.git_reader import GitError
from lab.forge.git_store import Store

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
