"""Reads what the registry has under the names an image is to get."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.release.image_tags.plan import Facts, fixed_tags, floating_tags


def read(
    digests: Mapping[str, str], version: str, prefix: str, commit: str, registry: Registry, *, floating: bool
) -> Facts:
    """Prove that every image exists, and look up the tags. Stop(missing-file) for an image that is not there."""
    present: dict[str, dict[str, str]] = {}
    published: dict[str, tuple[str, ...]] = {}
    for image, digest in digests.items():
        if registry.digest(f"{image}@{digest}") is None:
            raise Stop(
                "missing-file",
                f"{image}@{digest} is not in the registry.",
                "The build says that it pushed this image.",
                "Push the image in the build job, and pass on the digest it was pushed with.",
            )
        if floating:
            names = {
                tag.removeprefix(start)
                for tag in registry.tags(image)
                for start in ("v", prefix)
                if tag.startswith(start)
            }
            published[image] = tuple(sorted(names - {version}))
        moving = floating_tags(version, published.get(image, ())) if floating else ()
        wanted = (*fixed_tags(version, prefix, commit, digest), *moving)
        found = {tag: registry.digest(f"{image}:{tag}") for tag in wanted}
        present[image] = {tag: there for tag, there in found.items() if there}
    return Facts(digests=digests, present=present, published=published)
