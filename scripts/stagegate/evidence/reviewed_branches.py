"""Whether somebody had to review a release: its commit is on the default branch or one of `release-branches`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from stagegate.clients.hub import Hub
from stagegate.errors import Stop
from stagegate.model import Release
from stagegate.settings import Settings


def demand(settings: Settings, release: Release, hub: Hub) -> None:
    """Stop(not-authorised) for a release whose commit is on none of these branches."""
    default, patterns = hub.default_branch(), settings.release_branches
    if hub.contains(default, release.commit):
        return
    for branch in _branches(hub, patterns):
        if hub.contains(branch, release.commit):
            return
    where = ", ".join([default, *patterns])
    raise Stop(
        "not-authorised",
        f"The tag {release.tag} is on no branch where releases are made.",
        f"Commit {release.commit[:12]} cannot be reached from {where}, so a review was never required for it.",
        "Merge the commit and release a new version, or add the branch of the commit to "
        "`release-branches` and protect the branch.",
    )


def _branches(hub: Hub, patterns: Iterable[str]) -> Iterator[str]:
    """The branches of the repository that a pattern of `release-branches` matches; `*` stays within one name."""
    for pattern in patterns:
        fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
        shape = re.compile(
            "".join("[^/]*" if c == "*" else "[^/]" if c == "?" else re.escape(c) for c in pattern)
        )
        for ref in sorted(hub.refs(f"refs/heads/{fixed}")):
            if shape.fullmatch(ref.removeprefix("refs/heads/")):
                yield ref.removeprefix("refs/heads/")
