"""The state of an app for every decision: policy, pins, marks, tags and evidence, each read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.evidence import accepted, releases
from stagegate.evidence import records as evidence
from stagegate.evidence.records import Record
from stagegate.marks import authentic, marks
from stagegate.model import Actor
from stagegate.pins import files as pin_files
from stagegate.pins import pinned_version, probable
from stagegate.policy.facts import PromotionFacts
from stagegate.promotion import shared_policy
from stagegate.promotion.apps import App
from stagegate.settings import Settings
from stagegate.versions import Version


class AppState(msgspec.Struct, frozen=True, kw_only=True):
    """Policy and pins as the default branch has them at `head`; `blob` is that of the settings."""

    base: str
    head: str
    settings: Settings
    blob: str
    files: Mapping[str, bytes | None]


def read(connections: Connections, local_settings: Settings) -> AppState:
    """Policy and every pin's file. `local_settings` only says where pins probably are, which saves a request."""
    paths = probable.files(connections.config, local_settings, connections.work_tree)
    connections.pins.open(paths, marks.PREFIX, marks.FILE)
    base = connections.pins.default_branch()
    head = connections.pins.head(base)
    if head is None:
        raise Stop(
            "unknown-state",
            f"The branch {base} has no commit.",
            "The branch was deleted while stagegate worked.",
            "Run it again.",
        )
    settings, files, blob = _policy(connections, local_settings, head)
    return AppState(base=base, head=head, settings=settings, blob=blob, files=files)


def read_ahead(connections: Connections, apps: Iterable[App]) -> None:
    """Read the settings and pin files of many apps together; what one of them lacks is read with it."""
    pins = connections.pins
    paths: dict[str, None] = {}
    for app in apps:
        paths |= dict.fromkeys(pinned_version.likely_files(app.config, app.settings))
    pins.open((*paths, *probable.values(tuple(paths), connections.work_tree)), marks.PREFIX, marks.FILE)
    head = pins.head(pins.default_branch())
    if head is not None:
        pins.files(head, tuple(paths))


def facts(
    connections: Connections,
    ground: AppState,
    mode: str,
    environment: str,
    version: str,
    others: Iterable[str] = (),
) -> tuple[PromotionFacts, Mapping[str, str]]:
    """Facts about an environment (and `others` that are judged with it), and the tips of all our branches."""
    settings = ground.settings
    wanted = settings.environment(environment)
    tips = connections.pins.ref_files(marks.PREFIX, marks.FILE)
    trusted = accepted.accepted(settings, connections.app, connections.pins)
    names = dict.fromkeys((environment, *others))
    relevant = dict.fromkeys(
        place
        for name in names
        for one in (settings.environment(name),)
        for place in (*one.after, *one.promotion.carry_approval, name)
    )
    records = {name: _records(connections, settings, name, trusted) for name in relevant}
    app_facts = PromotionFacts(
        app=settings.app,
        environment=environment,
        requested=version,
        mode=mode,
        pins_repository=connections.pins.repository,
        app_repository=connections.app.repository,
        base=ground.base,
        base_head=ground.head,
        policy=ground.blob,
        settings=settings,
        trust=settings.trust.level,
        accepted=trusted,
        actions_token=connections.pins.is_actions_token(),
        standings=tuple(
            pinned_version.resolved(pinned_version.standing(one, ground.files, settings), records)
            for one in settings.environments
        ),
        tags=() if version or wanted.after else tags(connections, settings),
        records=records,
        marks=authentic.of_app(connections.pins, tips, settings.app, trusted, connections.pins.now()),
    )
    return app_facts, {ref.removeprefix("refs/heads/"): file.oid for ref, file in tips.items()}


def _policy(
    connections: Connections, local_settings: Settings, head: str
) -> tuple[Settings, dict[str, bytes | None], str]:
    """Settings as the default branch has them, every pin's file, and the blob of the settings.

    With shared policy the blob of that follows after a `+`.
    """
    blobs = connections.pins.files(head, pinned_version.likely_files(connections.config, local_settings))
    policy = blobs.get(connections.config)
    if policy is None:
        raise Stop(
            "missing-file",
            f"{connections.pins.repository} has no {connections.config} on its default branch.",
            "The policy (environments, their order, permissions) is read only from the default branch.",
            "Merge the settings first, or name the right file with `config` or `policy`.",
        )
    settings, shared = shared_policy.settings_of(connections.pins, head, policy.content, connections.config)
    oid = f"{policy.oid}+{shared}" if shared else policy.oid
    if pin_files.has_globs(settings):
        settings = pin_files.expanded(
            settings, connections.pins.paths(head), connections.config, policy.content
        )
    if connections.one and not settings.policy and not settings.source:
        settings = msgspec.structs.replace(settings, source=connections.app.repository)
    wanted = pinned_version.pin_files(settings)
    more = [path for path in (*wanted, *pinned_version.charts_beside(wanted, settings)) if path not in blobs]
    if more:
        blobs |= connections.pins.files(head, more)
    if not connections.one:
        settings = releases.whole(
            settings, connections.app, local_settings if local_settings.policy else None
        )
    contents = {path: blob.content if blob else None for path, blob in blobs.items()}
    return settings, contents, oid


def _records(
    connections: Connections, settings: Settings, name: str, trusted: tuple[Actor, ...]
) -> tuple[Record, ...]:
    deployments = connections.app.deployments(evidence.task(settings.app), environment=name)
    return evidence.records(deployments, settings.app, name, trusted)


def tags(connections: Connections, settings: Settings) -> tuple[str, ...]:
    """Versions that have a tag, in their order."""
    prefix = f"refs/tags/{settings.version.tag_prefix}"
    names = (ref.removeprefix(prefix) for ref in connections.app.refs(prefix))
    return tuple(sorted(filter(Version.is_valid, names), key=Version.parse))
