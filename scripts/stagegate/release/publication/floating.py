"""Floating tags of a published release: moved after the last gate, never before."""

from __future__ import annotations

from stagegate.clients.hub import Hub
from stagegate.clients.registry import Registry
from stagegate.model import Change
from stagegate.release.image_tags import apply, facts, plan, report
from stagegate.release.publication.plan_facts import ReleaseFacts
from stagegate.settings import Settings


def move(
    kinds: tuple[str, ...],
    known: ReleaseFacts,
    settings: Settings,
    registry: Registry,
    github: Hub,
    *,
    dry_run: bool,
) -> tuple[Change, ...]:
    """Move the floating tags of the tested images forward, and name stray tags that keep them back."""
    if not kinds or not known.tagged:
        return ()
    digests = {image: known.images[image] for image in known.tagged}
    names = settings.image_tags(known.version)
    released = facts.released(github, settings.version.tag_prefix)
    tag_facts = facts.read(
        digests, known.version, names, known.commit, registry, floating=kinds, released=released
    )
    report.warn(plan.stray(tag_facts, known.version, names))
    decided = plan.plan(known.version, names, known.commit, tag_facts, floating=kinds)
    return apply.apply(tuple(one for one in decided if one.floating), registry, dry_run=dry_run)
