"""The environments that a workflow must promote to or verify: the first of a release, or those that moved."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.difference import watched
from stagegate.difference.manifests.surroundings import NotRendered
from stagegate.difference.side import Side
from stagegate.errors import Stop
from stagegate.evidence import accepted
from stagegate.evidence import records as evidence
from stagegate.evidence.records import Record
from stagegate.pins import changes, pinned_version
from stagegate.pins.tree import PinsTree
from stagegate.promotion import app_state, used_files, watched_paths
from stagegate.promotion.app_state import AppState
from stagegate.promotion.apps import App
from stagegate.settings import Environment, Settings

Mode = Literal["wait", "adopt"]
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NO_COMMIT = "0" * 40  # what GitHub sends for a branch that did not exist before


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """A release as version-bump lists it in its output `matrix`, or as another repository announces it.

    `no_chart`: its repository has no chart that chart-check could check.
    """

    app: str
    version: str
    tag: str = ""
    commit: str = ""
    changed: bool = True
    config: str = ""
    no_chart: bool = False


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One environment of one app, as an entry of a job's matrix.

    `last`: no other environment comes after it. `mode` is that of its gate.
    """

    app: str
    config: str
    environment: str
    github_environment: str
    version: str = ""
    commit: str = ""
    last: bool = False
    mode: Mode = "wait"


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """What the run is about: the commits of a push, a person's wish to gate again, or everything."""

    before: str = ""
    after: str = ""
    by_hand: bool = False
    everything: bool = False


def push(event_name: str, event: Mapping[str, Any]) -> Push:
    """The push of this run's event. No commits where the event is another one."""
    if event_name != "push":
        sender = event.get("sender") or {}
        return Push(by_hand=event_name == "workflow_dispatch" and sender.get("type") != "Bot")
    before, after = str(event.get("before") or ""), str(event.get("after") or "")
    has_commits = all(_COMMIT.fullmatch(one) and one != _NO_COMMIT for one in (before, after))
    return Push(before=before, after=after) if has_commits else Push(everything=True)


def releases(text: str, apps: Sequence[App]) -> tuple[Released, ...]:
    """The new releases of the input (a list, or a single one), with the settings files of their apps.
    Stop(bad-input)."""
    if not text:
        return ()
    by_name = {app.settings.app: app for app in apps}
    try:
        decoded = msgspec.json.decode(text, type=Released | tuple[Released, ...])
    except msgspec.DecodeError as error:
        raise Stop(
            "bad-input",
            "The input `releases` is not a list of releases.",
            f"{error}.",
            "Pass on the output `matrix` of version-bump.",
        ) from error
    return tuple(
        msgspec.structs.replace(
            one, config=by_name[one.app].config, no_chart=by_name[one.app].settings.own_chart is None
        )
        for one in (decoded if isinstance(decoded, tuple) else (decoded,))
        if one.changed and one.app in by_name
    )


def first(apps: Sequence[App], made: Sequence[Released], *, several: bool) -> tuple[Place, ...]:
    """The environments without `after` of every released app, in the order of the releases."""
    by_name = {app.settings.app: app for app in apps}
    return tuple(
        msgspec.structs.replace(
            place(by_name[one.app], environment, several=several), version=one.version, commit=one.commit
        )
        for one in made
        if one.app in by_name
        for environment in by_name[one.app].settings.environments
        if not environment.after
    )


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has to do for one app: environments to gate, and whether open promotions must be judged again."""

    places: tuple[Place, ...] = ()
    judge_again: bool = True


def of_apps(opened: Sequence[tuple[App, Connections]], cause: Push, *, several: bool) -> tuple[Moved, ...]:
    """The work for every app. With several apps, a push concerns only those whose files it changed."""
    changed = None
    if len(opened) > 1:
        connections = opened[0][1]
        app_state.read_ahead(connections, [app for app, _ in opened])
        changed = _pushed(connections, cause)
    return tuple(
        Moved(judge_again=False)
        if changed is not None and _untouched(connections, app, changed)
        else of_app(connections, app, cause, several=several)
        for app, connections in opened
    )


def _pushed(connections: Connections, cause: Push) -> tuple[str, ...] | None:
    """Every file that the push changes; None where that is not known for certain."""
    if not cause.before:
        return None
    try:
        changed = connections.pins.changed_files(cause.before, cause.after)
    except hub.Refused:  # a push by force: the commit before it is gone
        return None
    return changed.files if changed.complete and changed.onward else None


def _untouched(connections: Connections, app: App, changed: Sequence[str]) -> bool:
    """Whether certainly nothing that this app's environments use is among the changed files."""
    try:
        named = watched_paths.of(connections, app_state.read(connections, app.settings))
    except (NotRendered, Stop):
        return False
    return not any(map(named.holds, changed))


def of_app(connections: Connections, app: App, cause: Push, *, several: bool) -> Moved:
    """The work for one app. An untested release is adopted when a person starts the run.

    A push that touches neither the settings nor anything that an environment uses changes no judgement. One that
    brings the settings of an app without any verdict is its adoption: Argo CD may not have its Applications yet.
    """
    state = app_state.read(connections, app.settings)
    app = msgspec.structs.replace(app, settings=state.settings)
    every = state.settings.environments
    if cause.everything:
        return Moved(places=tuple(place(app, one, several=several) for one in every))
    touched, policy_changed, is_new = _touched(connections, state, cause)
    verdicts = {one.name: _newest(connections, state.settings, one.name) for one in every}
    if is_new and not any(verdicts.values()):
        return Moved(judge_again=False)
    needing = [
        one
        for one in every
        if needs_gate(_pinned(state, one), verdicts[one.name], one.name in touched, cause)
        or _without_verdict(connections, state, one, verdicts[one.name])
    ]
    adopted = {name for name, newest in verdicts.items() if newest is None and cause.by_hand}
    return Moved(
        places=tuple(
            place(app, one, several=several, mode="adopt" if one.name in adopted else "wait")
            for one in needing
        ),
        judge_again=not cause.before or policy_changed or bool(touched),
    )


def needs_gate(version: str, newest: Record | None, touched: bool, cause: Push) -> bool:
    """Whether an environment whose pins name `version` needs a gate.

    `newest` is the last verdict there, of any release; `touched` says that its pins or files changed. A push that
    changed nothing there is no reason to test what never had a gate: on the first day a person adopts it. A failed
    gate is repeated only by hand.
    """
    if newest is None:
        return touched or not cause.before
    evidence = newest.evidence
    if touched or evidence is None or evidence.version != version:
        return True
    return cause.by_hand and evidence.outcome not in ("passed", "adopted")


def _without_verdict(
    connections: Connections, state: AppState, environment: Environment, newest: Record | None
) -> bool:
    """Whether the environment's files differ from those of the last verdict: the gate of that change was killed, or
    left a canary that pauses to a later run."""
    judged = newest.evidence.files if newest and newest.evidence else ""
    current = used_files.digest(connections, state, environment) if judged else ""
    return bool(current) and current != judged


def place(app: App, environment: Environment, *, several: bool, mode: Mode = "wait") -> Place:
    """An environment as an entry of the matrix."""
    settings = app.settings
    named = {name for other in settings.environments for name in other.after}
    return Place(
        app=settings.app,
        config=app.config,
        environment=environment.name,
        github_environment=environment.github_environment_of(settings.app, several=several),
        last=environment.name not in named,
        mode=mode,
    )


def matrix(places: Sequence[Place]) -> str:
    """The value of `strategy.matrix.include`, as JSON."""
    return msgspec.json.encode(list(places)).decode()


def road(apps: Sequence[App], made: Sequence[Released], places: Sequence[Place]) -> str:
    """The input `releases` of road.yml, as JSON. `announce` are those whose pins are in another repository."""
    elsewhere = {app.settings.app for app in apps if app.settings.policy}
    announced = [one for one in made if one.app in elsewhere]
    return msgspec.json.encode({"apps": made, "environments": places, "announce": announced}).decode()


def _pinned(state: AppState, environment: Environment) -> str:
    return pinned_version.standing(environment, state.files, state.settings).version


def _newest(connections: Connections, settings: Settings, environment: str) -> Record | None:
    """The last verdict in an environment, of any release."""
    deployments = connections.app.deployments(evidence.task(settings.app), environment=environment)
    trusted = accepted.accepted(settings, connections.app, connections.pins)
    newest = evidence.records(deployments, settings.app, environment, trusted)
    return next(iter(evidence.deciding(newest)), None)


def _touched(connections: Connections, state: AppState, cause: Push) -> tuple[frozenset[str], bool, bool]:
    """Environments whose pins changed with the push, or another file that their Applications use; whether the
    settings changed, and whether there were none before."""
    if not cause.before:
        return frozenset(), False, False
    paths = pinned_version.pin_files(state.settings)
    paths = (*paths, *pinned_version.charts_beside(paths, state.settings), connections.config)
    for sha in (cause.before, cause.after):
        connections.pins.entries(sha)  # what both have alike is read once
    after, before = (_at(connections, sha, paths) for sha in (cause.after, cause.before))
    touched = set()
    for one in state.settings.environments:
        old, new = (Side(connections, state.settings, state.base, one, tree) for tree in (before, after))
        change = watched.changed(old, new)
        # Several environments may be pinned in one file, such as the elements of an ApplicationSet.
        if change.more or (
            change.files and changes.moves_release(state.settings, one, before.contents, after.contents)
        ):
            touched.add(one.name)
    old_settings, new_settings = (tree.contents[connections.config] for tree in (before, after))
    return frozenset(touched), old_settings != new_settings, old_settings is None


def _at(connections: Connections, sha: str, paths: Sequence[str]) -> PinsTree:
    blobs = connections.pins.files(sha, paths) if paths else {}
    return PinsTree(contents={path: blob.content if blob else None for path, blob in blobs.items()}, at=sha)
