"""git: the content of a checkout is read and never run, and a token is sent to one server only."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from stagegate.clients import git, git_history, git_refs, git_room
from stagegate.errors import Stop
from stagegate.runner import log
from tests.clients.answering import Answer, Asked, answering

TOKEN = "t0ken-of-nobody"
IDENTITY = {f"GIT_{who}_{what}": "octo-dev" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home folder without any configuration of git."""
    monkeypatch.setattr(log, "_secrets", set())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


class Repository:
    """A work tree with git in it, and commits by message and file."""

    def __init__(self, path: Path, *flags: str) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main", *flags)

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=", *arguments]
        done = subprocess.run(
            command,
            cwd=self.path,
            env={**os.environ, **IDENTITY},
            check=True,
            capture_output=True,
            input=stdin,
        )
        return done.stdout.decode().strip()

    def commit(self, message: str, files: dict[str, str] | None = None) -> str:
        for name, text in (files or {}).items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)
        self.git("add", "--all")
        self.git(
            "commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "--file=-", stdin=message.encode()
        )
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin")


def clone(origin: Repository, to: Path, *flags: str) -> Path:
    origin.git("clone", "--quiet", "--no-tags", *flags, f"file://{origin.path}", str(to))
    return to


def remote(work: Path, env: Mapping[str, str] | None = None) -> git_refs.Remote:
    """The refs of the checkout's origin."""
    with git_room.scratch(work, env) as room:
        return git_refs.remote(room, "main")


# --- reading ----------------------------------------------------------------------------------------------


def test_commits_list_the_files_that_they_changed(origin: Repository) -> None:
    first = origin.commit(
        "feat: one\n\nBody.\r\nMore.\n\nStagegate-App: shop\nStagegate-Run: 7\n", {"a": "1"}
    )
    second = origin.commit("fix: two", {"d/strange\nname\x0bü": "2", "b": "2"})
    third = origin.commit("chore: nothing")
    found = git.commits(origin.path, [third, second, first])
    assert [commit.sha for commit in found] == [third, second, first]
    assert [commit.files for commit in found] == [(), ("b", "d/strange\nname\x0bü"), ("a",)]
    assert [commit.parents for commit in found] == [(second,), (first,), ()]
    assert found[2].trailers == {"Stagegate-App": "shop", "Stagegate-Run": "7"}
    assert found[2].body.startswith("\nBody.\nMore."), "the empty line after the title is kept"
    assert git.commits(origin.path, []) == ()
    assert found[2].edits[0].before == "0" * 40
    assert found[2].edits[0].after == origin.git("rev-parse", f"{first}:a")


def test_a_merge_lists_the_files_that_it_brings(origin: Repository) -> None:
    origin.commit("one", {"a": "1"})
    origin.git("checkout", "--quiet", "-b", "topic")
    origin.commit("two", {"b": "2"})
    origin.git("checkout", "--quiet", "main")
    origin.commit("three", {"c": "3"})
    origin.git("merge", "--quiet", "--no-ff", "-m", "feat: tea (#1)", "topic")
    (merge,) = git.commits(origin.path, [origin.git("rev-parse", "HEAD")])
    assert (merge.files, len(merge.parents)) == (("b",), 2)


def test_a_message_cannot_forge_commits_or_fields(origin: Repository) -> None:
    forged = "\x1e" + "f" * 40 + "\x1f\x1ffeat!: forged\x1fStagegate-App: shop\x1focto\x1f\nVERSION"
    real = origin.commit(f"fix: real\n\n{forged}\x1d", {"a": "1"})
    (only,) = git.commits(origin.path, [real])
    assert (only.sha, only.subject, only.files, only.author) == (real, "fix: real", ("a",), "octo-dev")
    assert "forged" in only.body


def test_a_moved_file_counts_on_both_sides(origin: Repository) -> None:
    origin.commit("feat: one", {"charts/shop/values.yaml": "a: 1\n" * 20})
    (origin.path / "other").mkdir()
    origin.git("mv", "charts/shop/values.yaml", "other/values.yaml")
    (moved,) = git.commits(origin.path, [origin.commit("feat: two")])
    assert moved.files == ("charts/shop/values.yaml", "other/values.yaml")


def test_text_is_read_as_utf_8_whatever_the_checkout_wants(origin: Repository) -> None:
    sha = origin.commit("feat: größer", {"a": "1"})
    origin.git("config", "i18n.logOutputEncoding", "ISO-8859-1")
    assert git.commits(origin.path, [sha])[0].subject == "feat: größer"


def test_a_folder_without_a_repository_is_reported(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="actions/checkout") as caught:
        git.head(tmp_path)
    assert caught.value.reason == "missing-file"


# --- a checkout that means harm ----------------------------------------------------------------------------

TRAPS = (
    "core.fsmonitor",
    "core.pager",
    "core.editor",
    "core.askPass",
    "core.alternateRefsCommand",
    "gpg.program",
    "diff.external",
    "remote.origin.uploadpack",
    "alias.log",
    "alias.fetch",
    "alias.rev-parse",
)


def test_no_program_or_hook_of_the_checkout_is_run(origin: Repository, tmp_path: Path) -> None:
    first = origin.commit("one", {"a": "1"})
    origin.git("tag", "v1.0.0")
    work = clone(origin, tmp_path / "work", "--depth=1")
    origin.commit("two", {"a": "2"})
    proof, trap = tmp_path / "proof", tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\necho "$0 $*" >> {proof}\n')
    trap.chmod(0o755)
    config = work / ".git/config"
    lines = [f"[{name.rpartition('.')[0]}]\n\t{name.rpartition('.')[2]} = {trap}\n" for name in TRAPS]
    lines = [line.replace("[remote.origin]", '[remote "origin"]') for line in lines]
    hooks = work / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("reference-transaction", "post-checkout", "pre-auto-gc", "post-index-change"):
        (hooks / hook).symlink_to(trap)
    more = "[log]\n\tshowSignature = true\n[gc]\n\tauto = 1\n[fetch]\n\trecurseSubmodules = true\n"
    config.write_text(config.read_text() + "".join(lines) + more)

    assert git.head(work) == first
    with git_room.scratch(work) as room:
        refs = git_refs.remote(room, "main")
        assert refs.tags == {"v1.0.0": first}
        span = git_history.Span(stable=("v1.0.0", first))
        (graph,) = git_history.complete(room, refs.tip, [span])
        assert [commit.subject for commit in git.commits(room.path, graph.parents)][:2] == ["two", "one"]
    git.git(work, "status", "--porcelain")
    assert not proof.exists(), proof.read_text()
    subprocess.run(["git", "status"], cwd=work, check=False, capture_output=True)
    assert proof.exists(), "each trap works with plain git"


def test_an_address_that_is_a_command_is_not_run(origin: Repository, tmp_path: Path) -> None:
    origin.commit("one")
    work = clone(origin, tmp_path / "work")
    config = work / ".git/config"
    made = tmp_path / "made"
    config.write_text(config.read_text().replace(f"file://{origin.path}", f"ext::sh -c touch% {made}"))
    with pytest.raises(Stop) as caught:
        remote(work)
    assert (caught.value.reason, made.exists()) == ("unreachable", False)


def test_a_checkout_that_belongs_to_another_user_is_read(
    origin: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = origin.commit("one")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    refused = subprocess.run(["git", "rev-parse", "HEAD"], cwd=origin.path, check=False, capture_output=True)
    assert b"dubious ownership" in refused.stderr, "git itself would refuse"
    assert git.head(origin.path) == sha


# --- the token ---------------------------------------------------------------------------------------------


def test_the_token_is_sent_once_and_only_to_its_server(origin: Repository, tmp_path: Path) -> None:
    origin.commit("one")
    work = clone(origin, tmp_path / "work")
    basic = "basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()

    def reply(_: Asked) -> Answer:
        return Answer(status=401, headers={"WWW-Authenticate": "Basic"})

    with answering(reply) as ours, answering(reply) as other:
        left = f'[http "http://{ours.host}/"]\n\textraheader = AUTHORIZATION: basic b2xkCg==\n'
        config = work / ".git/config"
        config.write_text(config.read_text() + left)
        env = git.credentials(f"http://{ours.host}", TOKEN)
        for server in (ours, other):
            origin.git("-C", str(work), "remote", "set-url", "origin", f"http://{server.host}/acme/shop.git")
            with pytest.raises(Stop) as caught:
                remote(work, env)
            assert TOKEN not in str(caught.value)
        sent = [
            [value for name, value in asked.headers.items() if name.lower() == "authorization"]
            for asked in ours.asked
        ]
        assert sent, "git sent the request to our server"
        assert all(values == [basic] for values in sent), (
            "the header that actions/checkout left is not sent beside it"
        )
        assert other.asked
        assert all("authorization" not in {name.lower() for name in asked.headers} for asked in other.asked)
    assert TOKEN not in config.read_text()
    assert log.redact(f"{TOKEN} {basic}") == "*** basic ***"
    assert git.credentials("https://github.com", "") == {}
