"""A pull request that touches no watched path: two requests, and success whatever else is down.

The watched paths of the default branch are kept in a folder, by the tree of its commit. Only a job that asks for a
shared folder ($STAGEGATE_CACHE) has one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from stagegate.argocd_app.named_files import Named
from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.difference.manifests.surroundings import NotRendered
from stagegate.errors import Stop
from stagegate.model import Change, Message, Result, digest_of
from stagegate.promotion import app_state, watched_paths
from stagegate.promotion.apps import App
from stagegate.proposal import names
from stagegate.runner import log
from stagegate.runner.context import Context

_NEW_HEADS = ("opened", "synchronize", "reopened")
_SHA = re.compile(r"[0-9a-f]{40,64}")


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept for one tree: the paths, and whether a comment may have to be kept up to date."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    patterns: tuple[str, ...]
    comments: bool = False

    @property
    def named(self) -> Named:
        """The paths with their meaning."""
        return Named(
            files=frozenset(self.files), folders=frozenset(self.folders), patterns=frozenset(self.patterns)
        )


def judge(pins: hub.Hub, context: Context, home: Path | None, config: str) -> Result | None:
    """The result where the event's new head touches no watched path; None where it has to be judged in full."""
    pull = _new_head(context.event())
    folder = _folder(home, context, config)
    if pull is None or folder is None or not folder.is_dir():
        return None
    try:
        changed = pins.changed_files(pull["base"]["ref"], pull["head"]["sha"])
        watched = msgspec.json.decode((folder / f"{changed.base_tree}.json").read_bytes(), type=Watched)
    except (OSError, msgspec.MsgspecError, Stop):
        return None
    again = context.event().get("action") != "opened"
    if not changed.complete or (watched.comments and again) or any(map(watched.named.holds, changed.files)):
        return None
    description = "no pin or value changes"
    pins.set_first_status(pull["head"]["sha"], names.STATUS, "success", description, pull.get("html_url", ""))
    head = f"#{pull['number']}"
    return Result(
        reason="reported",
        message=Message(what=f"stagegate/pins of {head} is success: {description}."),
        outputs={"state": "success", "next-at": "", "page": ""},
        changes=(
            Change(kind="status", target=f"{names.STATUS} on {pull['head']['sha'][:12]}", after="success"),
        ),
        calls=pins.calls,
    )


def remember(
    pins: hub.Hub, places: Sequence[tuple[App, Connections]], context: Context, home: Path | None, config: str
) -> None:
    """Keep the watched paths of the default branch for the next pull request; nothing where they cannot be told."""
    folder = _folder(home, context, config)
    if folder is None or _new_head(context.event()) is None or not places:
        return
    if any(app.settings.trust.level == "protected" for app, _ in places):
        return  # only the App's status counts there, and its token costs more requests than are saved
    try:
        base = pins.default_branch()
        tree = pins.changed_files(base, base).base_tree
        target = folder / f"{tree}.json"
        if target.exists():
            return
        named = Named()
        for app, connections in places:
            named = named | watched_paths.of(connections, app_state.read(connections, app.settings))
        if pins.changed_files(base, base).base_tree != tree:
            return
    except (NotRendered, Stop) as unknown:
        log.debug(f"the watched paths are not kept: {unknown}")
        return
    watched = Watched(
        files=tuple(sorted(named.files)),
        folders=tuple(sorted(named.folders)),
        patterns=tuple(sorted(named.patterns)),
        comments=any(app.settings.render.show == "comment" for app, _ in places),
    )
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{tree}.part"
    part.write_bytes(msgspec.json.encode(watched))
    part.replace(target)


def _folder(home: Path | None, context: Context, config: str) -> Path | None:
    """Where the paths of a repository are kept; another `config` names other apps."""
    if home is None or not context.repository:
        return None
    key = digest_of(f"{context.server_url} {context.repository} {config}".encode())[7:23]
    return home / "watched" / key


def _new_head(event: dict[str, Any]) -> dict[str, Any] | None:
    """The pull request of an event that brings a new head to the default branch, from no branch of ours."""
    pull = event.get("pull_request")
    try:
        if not isinstance(pull, dict) or event.get("action") not in _NEW_HEADS or pull["state"] != "open":
            return None
        is_default = pull["base"]["ref"] == pull["base"]["repo"]["default_branch"]
        is_ours = pull["head"]["ref"].startswith("stagegate/")
        return pull if is_default and not is_ours and _SHA.fullmatch(pull["head"]["sha"]) else None
    except (KeyError, TypeError, AttributeError):
        return None
