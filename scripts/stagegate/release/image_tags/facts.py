"""Reads the existing tags of the images of a release."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.clients.hub import Hub
from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.release.image_tags.plan import TagFacts, fixed_tags, floating_tags, forms_of


def read(
    digests: Mapping[str, str],
    version: str,
    names: tuple[str, ...],
    commit: str,
    registry: Registry,
    *,
    floating: tuple[str, ...],
    released: frozenset[str] | None = None,
) -> TagFacts:
    """Check that every image exists, and read its tags. Stop(missing-file) for an image that does not exist.

    `names` are the tags of the release, `floating` the kinds of floating tags, `released` the versions with a git
    tag (None: unknown).
    """
    forms = {("v", ""), *forms_of(names, version)}
    present: dict[str, dict[str, str]] = {}
    published: dict[str, tuple[str, ...]] = {}
    for image, digest in digests.items():
        if registry.digest(f"{image}@{digest}") is None:
            raise Stop(
                "missing-file",
                f"{image}@{digest} is not in the registry.",
                "The build reported that it had pushed this image.",
                "Push the image in the build job, and pass on the digest it was pushed with.",
            )
        if floating:
            versions = {
                tag[len(start) : len(tag) - len(end)].replace("_", "+")
                for tag in registry.tags(image)
                for start, end in forms
                if tag.startswith(start) and tag.endswith(end)
            }
            published[image] = tuple(sorted(versions - {version}))
        moving = floating_tags(version, published.get(image, ()), floating)
        tags = (*fixed_tags(names, commit, digest), *moving)
        digests_by_tag = {tag: registry.digest(f"{image}:{tag}") for tag in tags}
        present[image] = {tag: existing for tag, existing in digests_by_tag.items() if existing}
    return TagFacts(digests=digests, present=present, published=published, released=released)


def released(hub: Hub, prefix: str) -> frozenset[str]:
    """The versions that have a git tag with this prefix."""
    names = (ref.removeprefix("refs/tags/") for ref in hub.refs("refs/tags/"))
    return frozenset(name.removeprefix(prefix) for name in names if name.startswith(prefix))


def demand_git_tag(hub: Hub, name: str, commit: str) -> None:
    """Check that the git tag of the release names this commit. Stop(missing-file|tag-taken).

    Image tags never move, so a wrong version or commit in the inputs could not be corrected later.
    """
    tag = hub.tag(name)
    if tag is None:
        raise Stop(
            "missing-file",
            f"{hub.repository} has no tag {name}.",
            "image-tags tags images only if the Git tag of the version exists, because image tags never move.",
            "Run version-bump first, and pass its outputs `version` and `sha` to image-tags. Or "
            "correct the input `version`.",
        )
    if tag.target_commit != commit:
        raise Stop(
            "tag-taken",
            f"The tag {name} is not on the commit of this build.",
            f"It names {tag.target_commit[:12]}, but the build is of {commit[:12]}.",
            "Check out the tag in the build, or pass version-bump's output `sha` as `commit`.",
        )
