"""The branch and the tags that a decision is about: those of origin, or as the checkout has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from stagegate.clients import git
from stagegate.clients.git_room import Scratch
from stagegate.clients.process import ProgramFailed
from stagegate.errors import Stop


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """The refs of origin: the tip of one branch (empty when it does not exist) and all tags -> their commits."""

    tip: str
    tags: Mapping[str, str]


def remote(room: Scratch, branch: str) -> Remote:
    """The branch and the tags of origin, in one request. Stop(unreachable)."""
    patterns = (f"refs/heads/{branch}", "refs/tags/*")
    try:
        completed = git.git(
            room.path, "ls-remote", "--upload-pack=git-upload-pack", "origin", *patterns, env=room.env
        )
    except ProgramFailed as error:
        raise git.unreachable(error) from error
    return _refs(completed.text.splitlines(), branch)


def local(checkout: Path, branch: str) -> Remote:
    """The same refs as the checkout has them: the commit that is checked out stands for its branch."""
    completed = git.git(checkout, "show-ref", "--dereference", "--head", "--heads", "--tags", check=False)
    lines = [line.replace(" ", "\t", 1) for line in completed.text.splitlines()]
    head = next((line.partition("\t")[0] for line in lines if line.endswith("\tHEAD")), "")
    refs = _refs(lines, branch)
    is_checked_out = refs.tip in ("", head) or git.branch(checkout) in ("HEAD", branch)
    return Remote(tip=head if is_checked_out else refs.tip, tags=refs.tags)


def _refs(lines: Iterable[str], branch: str) -> Remote:
    tip, tags = "", {}
    for line in lines:
        sha, _, ref = line.partition("\t")
        name = ref.removeprefix("refs/tags/")
        if ref == f"refs/heads/{branch}":
            tip = sha
        elif name.endswith("^{}"):
            tags[name.removesuffix("^{}")] = sha
        elif name != ref:
            tags.setdefault(name, sha)
    return Remote(tip=tip, tags=tags)


def check_branch(branch: str) -> str:
    """A branch name as git allows it, whatever alphabet. Stop(bad-input)."""
    if branch.isalnum():  # most are called main, and need no pattern
        return branch
    if (
        not branch
        or branch.startswith("-")
        or re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock(/|$)|/$|\.$|^/", branch)
    ):
        raise Stop(
            "bad-input",
            f"{branch!r} is not the name of a branch.",
            "git does not allow this name for a branch.",
            "Set the input `branch` to the name of an existing branch.",
        )
    return branch
