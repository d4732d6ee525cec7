"""Plans all apps of one run; apps of a group get the same version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from stagegate.release import version_files
from stagegate.release.bump import changes
from stagegate.release.bump.changes import Changes
from stagegate.release.bump.next_version import highest
from stagegate.release.bump.plan import NextVersion, next_version, plan
from stagegate.release.bump.plan_facts import BumpFacts, BumpPlan
from stagegate.settings import Settings


def plan_all(
    apps: Sequence[tuple[Settings, BumpFacts]], bump: str, *, only_tag: bool = False
) -> tuple[BumpPlan, ...]:
    """The plans of all apps of one run, in their order. Later plans include the files that earlier ones write.

    Apps with the same `version.group` get the same version when one of them needs a new one. `only_tag`: no file
    changes.
    """
    group_versions = {
        name: _common([(s, facts) for s, facts in apps if s.version.group == name], bump)
        for name in dict.fromkeys(settings.version.group for settings, _ in apps)
        if name
    }
    plans: list[BumpPlan] = []
    written: dict[str, bytes] = {}
    for settings, facts in apps:
        contents = {path: written.get(path, content) for path, content in facts.contents.items()}
        with_contents = msgspec.structs.replace(facts, contents=contents)
        common = group_versions.get(settings.version.group)
        decided = plan(settings, with_contents, bump, common=common, only_tag=only_tag)
        written |= decided.files
        plans.append(decided)
    return tuple(plans)


def matrix(apps: Sequence[tuple[Settings, BumpPlan]]) -> list[Mapping[str, object]]:
    """One entry for each app, for `strategy.matrix.include` of a workflow."""
    return [
        {
            "app": settings.app,
            "version": decided.version,
            "tag": decided.tag,
            "changed": decided.reason == "released",
        }
        for settings, decided in apps
    ]


def _common(members: Sequence[tuple[Settings, BumpFacts]], bump: str) -> NextVersion:
    """The next version of a group, from the versions and changes of all its apps."""
    tags: dict[str, str] = {}
    for _, facts in members:
        tags |= facts.tags
    app_changes = [(changes.read(facts.commits), changes.read(facts.since_final)) for _, facts in members]
    recent = _joined([recent for recent, _ in app_changes])
    noted = _joined([noted or recent for recent, noted in app_changes])
    reachable = tuple(dict.fromkeys(v for _, facts in members for v in facts.reachable))
    group = msgspec.structs.replace(members[0][1], tags=tags, reachable=reachable)
    in_files = [
        version_files.read_all(settings.version.places, facts.contents)[:1] for settings, facts in members
    ]
    current = highest(item.version for first in in_files for item in first)
    version, level = next_version(bump, group, current, recent, noted)
    return NextVersion(version=version, level=level)


def _joined(all_changes: Sequence[Changes]) -> Changes:
    readings = tuple(reading for changes in all_changes for reading in changes.readings)
    return Changes(readings=readings, unread=(), warnings=())
