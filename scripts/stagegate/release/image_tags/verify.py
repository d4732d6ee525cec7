"""Whether every image of a release has its tags, and all of them name the same image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stagegate.clients.registry import Registry
from stagegate.model import Finding
from stagegate.release.image_tags.plan import fixed_tags


def read(
    images: Iterable[str], names: tuple[str, ...], commit: str, registry: Registry
) -> Mapping[str, Mapping[str, str]]:
    """Per image, every tag the release should have -> the digest it names (empty: there is none)."""
    digests_by_image: dict[str, dict[str, str]] = {}
    for image in dict.fromkeys(images):
        known = [*names, f"sha-{commit}"]
        digests = {tag: registry.digest(f"{image}:{tag}") or "" for tag in known}
        digest = next((one for one in digests.values() if one), "")
        if digest:
            short = fixed_tags(names, commit, digest)[-1]
            digests[short] = registry.digest(f"{image}:{short}") or ""
        digests_by_image[image] = digests
    return digests_by_image


def judge(digests_by_image: Mapping[str, Mapping[str, str]]) -> tuple[Finding, ...]:
    """A finding for each tag that is missing or names another image than the first one."""
    findings = []
    for image, tags in digests_by_image.items():
        first, expected = next(((tag, digest) for tag, digest in tags.items() if digest), ("", ""))
        for tag, digest in tags.items():
            if digest and digest == expected:
                continue
            other = f"names {digest}, but {first} names {expected}" if digest else "is not in the registry"
            findings.append(
                Finding(
                    rule="image-tag",
                    severity="error",
                    object=f"{image}:{tag}",
                    message=f"{image}:{tag} {other}.",
                    why="All tags of a release name one image.",
                    fix="Run image-tags with the digests of the build."
                    if not digest
                    else "Make a new version.",
                )
            )
    return tuple(findings)
