"""Moves the floating tags of a release, after its last gate has passed."""

from __future__ import annotations

from stagegate.clients.hub import Hub
from stagegate.clients.registry import Registry
from stagegate.model import Change
from stagegate.release.image_tags import apply, facts, plan, report
from stagegate.release.publication.plan_facts import ReleaseFacts
from stagegate.settings import Settings


def move(
    kinds: tuple[str, ...],
    release: ReleaseFacts,
    settings: Settings,
    registry: Registry,
    github: Hub,
    *,
    dry_run: bool,
) -> tuple[Change, ...]:
    """Move the floating tags of the tested images; warn about stray tags that prevent it. Returns the changes."""
    if not kinds or not release.tagged:
        return ()
    digests = {image: release.images[image] for image in release.tagged}
    names = settings.image_tags(release.version)
    released = facts.released(github, settings.version.tag_prefix)
    tag_facts = facts.read(
        digests, release.version, names, release.commit, registry, floating=kinds, released=released
    )
    report.warn(plan.stray(tag_facts, release.version, names))
    decided = plan.plan(release.version, names, release.commit, tag_facts, floating=kinds)
    return apply.apply(tuple(tagging for tagging in decided if tagging.floating), registry, dry_run=dry_run)
