"""Decides which tags an image gets. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.versions import Version

DIGEST_LENGTH = 12
FLOATING = ("latest", "X.Y", "X")


class Tagging(msgspec.Struct, frozen=True, kw_only=True):
    """One tag of one image. `before` is the digest that it names before this run (empty: none)."""

    image: str
    tag: str
    digest: str
    before: str = ""
    floating: bool = False

    @property
    def needed(self) -> bool:
        """False when the tag names this digest already."""
        return self.before != self.digest


class TagFacts(msgspec.Struct, frozen=True, kw_only=True):
    """For each image: its digest, and the existing tags among those it would get, each with its digest.

    `published` are the versions in the registry, `released` the versions with a git tag (None: unknown).
    """

    digests: Mapping[str, str]
    present: Mapping[str, Mapping[str, str]]
    published: Mapping[str, tuple[str, ...]] = {}
    released: frozenset[str] | None = None


def fixed_tags(names: tuple[str, ...], commit: str, digest: str) -> tuple[str, ...]:
    """The tags that never move: the release's `names`, `sha-<commit>` and `sha-<digest12>`."""
    return (*names, f"sha-{commit}", f"sha-{digest.removeprefix('sha256:')[:DIGEST_LENGTH]}")


def forms_of(names: tuple[str, ...], version: str) -> tuple[tuple[str, str], ...]:
    """What is before and after the version in each of the release's `names`: a form may have a suffix."""
    written = version.replace("+", "_")  # a registry takes no plus
    parts = (name.partition(written) for name in names if written in name)
    return tuple((start, end) for start, _, end in parts)


def chosen(floating: str) -> tuple[str, ...]:
    """The kinds of floating tags in an input: `true` for all of FLOATING, or a list. Stop(bad-input)."""
    words = [word for word in floating.replace(",", " ").split() if word != "false"]
    if words == ["true"]:
        return FLOATING
    unknown = next((word for word in words if word not in FLOATING), "")
    if unknown:
        raise Stop(
            "bad-input",
            f"floating is {floating[:80]!r}.",
            f"`floating` contains {unknown[:40]!r}, which is not a kind of floating tag.",
            f"Write true, false, or some of {', '.join(FLOATING)}.",
        )
    return tuple(kind for kind in FLOATING if kind in words)


def floating_tags(
    version: str, published: tuple[str, ...], kinds: tuple[str, ...] = FLOATING
) -> tuple[str, ...]:
    """`latest`, `1.4` and `1`, each only where this is the highest stable version in its range.

    `published` are the versions in the registry, `kinds` some of FLOATING. A pre-release gets none, and there is no
    tag `0`.
    """
    current = Version.parse(version)
    parsed = [Version.parse(v) for v in published if Version.is_valid(v)]
    stable = [v for v in parsed if not v.prerelease]
    if current.prerelease:
        return ()

    def highest(versions: list[Version]) -> bool:
        return all(current >= existing for existing in versions)

    tags = []
    if "latest" in kinds and highest(stable):
        tags.append("latest")
    if "X.Y" in kinds and highest(
        [v for v in stable if (v.major, v.minor) == (current.major, current.minor)]
    ):
        tags.append(f"{current.major}.{current.minor}")
    if "X" in kinds and current.major and highest([v for v in stable if v.major == current.major]):
        tags.append(str(current.major))
    return tuple(tags)


def stray(facts: TagFacts, version: str, names: tuple[str, ...]) -> tuple[Finding, ...]:
    """A finding for each tag of a higher stable version without a git tag: it keeps floating tags from moving."""
    if facts.released is None:
        return ()
    current = Version.parse(version)
    start, end = next(iter(forms_of(names, version)), ("", ""))
    findings = []
    for image, published in facts.published.items():
        for text in published:
            parsed = Version.parse(text) if Version.is_valid(text) else current
            if parsed.prerelease or parsed <= current or text in facts.released:
                continue
            tag = f"{image}:{start}{text.replace('+', '_')}{end}"
            findings.append(
                Finding(
                    rule="stray-tag",
                    severity="warning",
                    object=tag,
                    message=f"The registry has the image tag {tag}, but there is no Git tag of {text}.",
                    why=f"While the image tag exists, {version} does not count as the highest version.",
                    fix=f"If {text} is not a release, delete the image tag with `crane delete {tag}`, "
                    "or on the web page of the registry.",
                )
            )
    return tuple(findings)


def plan(
    version: str, names: tuple[str, ...], commit: str, facts: TagFacts, *, floating: tuple[str, ...] = ()
) -> tuple[Tagging, ...]:
    """Every tag of every image. `names` are the tags of the release, `floating` kinds of floating tags.

    Stop(tag-taken) when a tag that never moves names another image.
    """
    taggings = []
    for image, digest in facts.digests.items():
        present = facts.present.get(image, {})
        moving = floating_tags(version, facts.published.get(image, ()), floating)
        for name in (*fixed_tags(names, commit, digest), *moving):
            tagging = Tagging(
                image=image,
                tag=name,
                digest=digest,
                before=present.get(name, ""),
                floating=name in moving,
            )
            if tagging.before and tagging.needed and not tagging.floating:
                raise _taken(tagging)
            taggings.append(tagging)
    return tuple(taggings)


def _taken(tagging: Tagging) -> Stop:
    return Stop(
        "tag-taken",
        f"The tag {tagging.image}:{tagging.tag} already points to a different image.",
        f"The registry has {tagging.before}, but this release has {tagging.digest}, and the tag of "
        "a version never changes.",
        "Build a release only once, and pass its digest to the later jobs. For a different image, "
        "release a new version.",
    )
