"""A pull request that touches no watched path: two requests, and success even if other services are down.

The first request names the changed files and the commit of the default branch. The watched paths are those of this
commit, which Git fetches and checks against its id: no file that another job could have written decides. Jobs that
share a folder on purpose ($STAGEGATE_CACHE) keep the paths there, by the tree of that commit.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from stagegate.argocd_app.named_files import Named
from stagegate.clients import clone, hub
from stagegate.clients.connections import Connections
from stagegate.clients.hub.values import ChangedFiles
from stagegate.clients.registry import Registry
from stagegate.difference.manifests.surroundings import NotRendered
from stagegate.errors import Stop
from stagegate.guard import judge as judge_head
from stagegate.model import Change, Message, Result, branch_names, digest_of, statuses
from stagegate.promotion import app_state, apps, watched_paths
from stagegate.promotion.apps import App
from stagegate.runner import log, variables
from stagegate.runner.context import Context
from stagegate.runner.inputs import ClusterInputs

_NEW_HEADS = ("opened", "synchronize", "reopened")
_SHA = re.compile(r"[0-9a-f]{40,64}")


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept for one tree: the paths, whether a comment may have to be kept up to date, and whether only the
    statuses of the GitHub App count."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    patterns: tuple[str, ...]
    comments: bool = False
    protected: bool = False

    @property
    def named(self) -> Named:
        """The paths with their meaning."""
        return Named(
            files=frozenset(self.files), folders=frozenset(self.folders), patterns=frozenset(self.patterns)
        )


def judge(pins: hub.Hub, inputs: ClusterInputs, context: Context) -> Result | None:
    """The result where the event's new head touches no watched path; None where it has to be judged in full."""
    pull = _new_head(context.event())
    if pull is None:
        return None
    try:
        changed = pins.changed_files(pull["base"]["ref"], pull["head"]["sha"])
        if not changed.complete:
            return None
        watched = _kept(changed, inputs.config, context) or _computed(pins, inputs, context, pull, changed)
    except (NotRendered, Stop, *judge_head.ODD) as unknown:
        log.debug(f"the watched paths are unknown: {unknown}")
        return None
    again = context.event().get("action") != "opened"
    if (watched.comments and again) or (watched.protected and not inputs.app_id):
        return None
    if any(map(watched.named.holds, changed.files)):
        return None
    writer = _writer(pins, inputs, context)
    description = statuses.NOTHING_CHANGES
    writer.set_first_status(
        pull["head"]["sha"], statuses.PINS, "success", description, pull.get("html_url", "")
    )
    head = f"#{pull['number']}"
    return Result(
        reason="reported",
        message=Message(what=f"stagegate/pins of {head} is success: {description}."),
        outputs={"state": "success", "next-at": "", "page": ""},
        changes=(
            Change(kind="status", target=f"{statuses.PINS} on {pull['head']['sha'][:12]}", after="success"),
        ),
        calls=pins.calls,
    )


def _computed(
    pins: hub.Hub, inputs: ClusterInputs, context: Context, pull: dict[str, Any], changed: ChangedFiles
) -> Watched:
    """The watched paths of the default branch, from a clone of the commit that GitHub compared with; kept where
    jobs share a folder. NotRendered or a Stop where they cannot be told."""
    named, settings = Named(), []
    try:
        with clone.fetched(pins, pull["base"]["ref"], changed.base) as cloned:
            for app in apps.read(cloned, inputs.config):
                if app.settings.policy:
                    raise NotRendered(f"the policy of {app.settings.app} is in another repository")
                connections = _connections(cloned, app, inputs, context)
                named = named | watched_paths.of(connections, app_state.read(connections, app.settings))
                settings.append(app.settings)
    finally:
        hub.forget()  # results from the clone are not responses of GitHub
    watched = Watched(
        files=tuple(sorted(named.files)),
        folders=tuple(sorted(named.folders)),
        patterns=tuple(sorted(named.patterns)),
        comments=any(app_settings.render.show == "comment" for app_settings in settings),
        protected=any(app_settings.trust.level == "protected" for app_settings in settings),
    )
    _keep(watched, changed, inputs.config, context)
    return watched


def _connections(cloned: clone.Clone, app: App, inputs: ClusterInputs, context: Context) -> Connections:
    """What the watched paths of an app are read with: the clone, and the app repository where it is another."""
    elsewhere = app.settings.source_repository
    is_one = elsewhere in ("", cloned.repository)
    return Connections(
        app=cloned if is_one else hub.from_context(context, inputs.token, elsewhere),
        pins=cloned,
        registry=Registry(app.settings.registry_hosts),
        config=app.config,
    )


def _writer(pins: hub.Hub, inputs: ClusterInputs, context: Context) -> hub.Hub:
    """The client that writes the status: the GitHub App if there is one, because then only its statuses count."""
    if not inputs.app_id:
        return pins
    token = hub.installation_token(
        context.api_url, pins.repository, inputs.app_id, inputs.app_key, {"statuses": "write"}
    )
    return hub.from_context(context, token, pins.repository)


def _kept(changed: ChangedFiles, config: str, context: Context) -> Watched | None:
    """The watched paths that an earlier job kept for this tree."""
    place = _place(changed, config, context)
    if place is None or not place.is_file():
        return None
    try:
        return msgspec.json.decode(place.read_bytes(), type=Watched)
    except (OSError, msgspec.MsgspecError):
        return None


def _keep(watched: Watched, changed: ChangedFiles, config: str, context: Context) -> None:
    """Keep them for the next job; a folder that cannot be written keeps nothing."""
    place = _place(changed, config, context)
    if place is None:
        return
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        partial = place.with_suffix(".part")
        partial.write_bytes(msgspec.json.encode(watched))
        partial.replace(place)


def _place(changed: ChangedFiles, config: str, context: Context) -> Path | None:
    """Where the paths of a tree are kept; another repository or `config` names other apps."""
    home = variables.cache()
    if home is None or not context.repository or not _SHA.fullmatch(changed.base_tree):
        return None
    key = digest_of(f"{context.server_url} {context.repository} {config}".encode())[7:23]
    return home / "watched" / key / f"{changed.base_tree}.json"


def _new_head(event: dict[str, Any]) -> dict[str, Any] | None:
    """The pull request of an event that brings a new head to the default branch, from no branch of ours."""
    pull = event.get("pull_request")
    try:
        if not isinstance(pull, dict) or event.get("action") not in _NEW_HEADS or pull["state"] != "open":
            return None
        is_default = pull["base"]["ref"] == pull["base"]["repo"]["default_branch"]
        is_ours = pull["head"]["ref"].startswith(branch_names.PREFIX)
        return pull if is_default and not is_ours and _SHA.fullmatch(pull["head"]["sha"]) else None
    except (KeyError, TypeError, AttributeError):
        return None
