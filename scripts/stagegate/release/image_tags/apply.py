"""Writes the tags. The registry gets the same manifest bytes under each name, so the digest cannot change."""

from __future__ import annotations

from stagegate.clients import registry
from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.model import Change
from stagegate.release.image_tags.plan import Tagging
from stagegate.runner import log


def apply(plan: tuple[Tagging, ...], store: Registry, *, dry_run: bool = False) -> tuple[Change, ...]:
    """Put each needed tag, read it back, and return the changes. Stop(tag-taken) after a lost race.

    A dry run only returns the intended changes.
    """
    needed = [tagging for tagging in plan if tagging.needed]
    if dry_run:
        return tuple(_change(tagging, done=False) for tagging in needed)
    return tuple(_put(tagging, store) for tagging in needed)


def _put(tagging: Tagging, store: Registry) -> Change:
    manifest = store.manifest(f"{tagging.image}@{tagging.digest}")
    target = registry.parse(f"{tagging.image}:{tagging.tag}")
    if manifest is None:
        raise Stop(
            "unknown-state",
            f"{tagging.image}@{tagging.digest} is no longer in the registry.",
            "The image was in the registry when this step began.",
            "Run the build again, then run this step again.",
        )
    existing = store.digest(target)  # registries have no compare-and-swap, so check as late as possible
    if existing not in (tagging.digest, tagging.before or None):
        raise _moved(tagging, existing)
    store.push_manifest(target, manifest)
    existing = store.digest(target)
    if existing != tagging.digest:
        raise _moved(tagging, existing)
    log.say(f"{target} is {tagging.digest}")
    return _change(tagging, done=True)


def _moved(tagging: Tagging, existing: str | None) -> Stop:
    return Stop(
        "tag-taken",
        f"During this step, a different run changed the tag {tagging.image}:{tagging.tag}.",
        f"The tag now points to {existing or 'nothing'}, but this release has {tagging.digest}.",
        "Find the other run that tags this image, then run this step again. image-tags does not "
        "change tags that exist.",
    )


def _change(tagging: Tagging, *, done: bool) -> Change:
    target = f"{tagging.image}:{tagging.tag}"
    return Change(kind="image-tag", target=target, before=tagging.before, after=tagging.digest, done=done)
