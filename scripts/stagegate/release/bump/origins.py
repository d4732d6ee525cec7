"""Reads authors, pull requests and labels of commits from GitHub."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from stagegate.errors import Stop
from stagegate.release.bump.changes import CommitFact
from stagegate.runner import log
from stagegate.settings import Settings

if TYPE_CHECKING:  # a plan from the clone alone loads no HTTP library
    from stagegate.clients.hub import CommitOrigin, Hub


def read(hub: Hub | None, branch: str, shas: Iterable[str]) -> Mapping[str, CommitOrigin]:
    """The origin of each commit; nothing without `hub` or without permission to read pull requests (a warning)."""
    distinct = list(dict.fromkeys(shas))
    if hub is None or not distinct:
        return {}
    try:
        return hub.origins(distinct, branch)
    except Stop as stop:
        if stop.reason != "missing-permission":
            raise
        log.say(
            "warning: pull requests cannot be read, so version-bump ignores the labels of pull "
            "requests, and the notes have no links to pull requests. Give the job the permission "
            "`pull-requests: read`."
        )
        return {}


def with_origin(
    fact: CommitFact, commit_origins: Mapping[str, CommitOrigin], settings: Settings, hub: Hub | None
) -> CommitFact:
    """A commit with its author, pull request and label, as far as they are known."""
    if hub is None:
        return fact
    link = f"{hub.server_url}/{hub.repository}/commit/{fact.sha}"
    origin = commit_origins.get(fact.sha)
    if origin is None:
        return msgspec.structs.replace(fact, link=link)
    levels = settings.version.labels
    matching = [
        level for level in ("major", "minor", "patch", "none") if getattr(levels, level) in origin.labels
    ]
    return msgspec.structs.replace(
        fact,
        author=origin.author or fact.author,
        pull=origin.number,
        link=origin.url or link,
        label=matching[0] if matching else "",
    )
