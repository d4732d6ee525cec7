"""Checks that every image of a release has its tags, and that they all name the same image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stagegate.clients.registry import Registry
from stagegate.model import Finding
from stagegate.release.image_tags.plan import fixed_tags


def read(
    images: Iterable[str],
    names: tuple[str, ...],
    commit: str,
    registry: Registry,
    *,
    built: Mapping[str, str] = {},
) -> Mapping[str, Mapping[str, str]]:
    """For each image, the expected tags, each with the digest it names (empty: no such tag).

    `built` are the digests that the build has pushed, where they are known.
    """
    digests_by_image: dict[str, dict[str, str]] = {}
    for image in dict.fromkeys(images):
        digests = {tag: registry.digest(f"{image}:{tag}") or "" for tag in (*names, f"sha-{commit}")}
        digest = built.get(image) or next(filter(None, digests.values()), "")
        if digest:
            short = fixed_tags(names, commit, digest)[-1]
            digests[short] = registry.digest(f"{image}:{short}") or ""
        digests_by_image[image] = digests
    return digests_by_image


def judge(
    digests_by_image: Mapping[str, Mapping[str, str]], built: Mapping[str, str] = {}
) -> tuple[Finding, ...]:
    """A finding for each tag that is missing or names another image than the build pushed or the first tag."""
    findings = []
    for image, tags in digests_by_image.items():
        first, expected = next(((tag, digest) for tag, digest in tags.items() if digest), ("", ""))
        if image in built:
            first, expected = "the build", built[image]
        for tag, digest in tags.items():
            if digest and digest == expected:
                continue
            problem = (
                f"points to {digest}, but {first} points to {expected}"
                if digest
                else "is not in the registry"
            )
            findings.append(
                Finding(
                    rule="image-tag",
                    severity="error",
                    object=f"{image}:{tag}",
                    message=f"{image}:{tag} {problem}.",
                    why="All tags of a release must point to the same image.",
                    fix="Release a new version."
                    if digest
                    else "Run image-tags with the digests of the build.",
                )
            )
    return tuple(findings)
