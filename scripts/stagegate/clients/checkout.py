"""Finds the commit of a build: that of an input, else the checked-out one."""

from __future__ import annotations

import re

from stagegate.clients import git
from stagegate.errors import Stop
from stagegate.runner.context import Context


def released_commit(requested: str, context: Context) -> str:
    """The full commit of the release: `requested`, else the workspace's HEAD, else (no checkout) the run's.

    HEAD before the run's commit, because a release commit is made after the push that started the run.
    Stop(bad-input) for anything but 40 hexadecimal digits.
    """
    checked_out = (context.workspace / ".git").exists()
    commit = requested or (git.head(context.workspace) if checked_out else context.sha)
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise Stop(
            "bad-input",
            f"commit is {commit[:80]!r}." if commit else "The commit of the release is unknown.",
            "A release needs its full commit, 40 hexadecimal digits.",
            "Pass the output `sha` of version-bump as the input `commit`, or check out the commit "
            "of the release.",
        )
    return commit
