"""Which tags an image gets, and whether it may get them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.versions import Version

DIGEST_LENGTH = 12
FLOATING = ("latest", "X.Y", "X")


class Tagging(msgspec.Struct, frozen=True, kw_only=True):
    """One tag of one image: `before` is the digest it names now (empty: none)."""

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
    """Per image: the digest to name, and every tag the registry has -> its digest (only those asked about).

    `published` are the versions that the registry has, `released` those with a git tag (None: not known).
    """

    digests: Mapping[str, str]
    present: Mapping[str, Mapping[str, str]]
    published: Mapping[str, tuple[str, ...]] = {}
    released: frozenset[str] | None = None


def fixed_tags(names: tuple[str, ...], commit: str, digest: str) -> tuple[str, ...]:
    """The tags that never move: the release's `names`, `sha-<commit>` and `sha-<digest12>`."""
    return (*names, f"sha-{commit}", f"sha-{digest.removeprefix('sha256:')[:DIGEST_LENGTH]}")


def chosen(given: str) -> tuple[str, ...]:
    """The kinds of floating tags that an input asks for: `true` for all of FLOATING, or a list. Stop(bad-input)."""
    words = [word for word in given.replace(",", " ").split() if word != "false"]
    if words == ["true"]:
        return FLOATING
    unknown = next((word for word in words if word not in FLOATING), "")
    if unknown:
        raise Stop(
            "bad-input",
            f"floating is {given[:80]!r}.",
            f"{unknown[:40]!r} is not a kind of floating tag.",
            f"Write true, false, or some of {', '.join(FLOATING)}.",
        )
    return tuple(kind for kind in FLOATING if kind in words)


def floating_tags(
    version: str, published: tuple[str, ...], kinds: tuple[str, ...] = FLOATING
) -> tuple[str, ...]:
    """`latest`, `1.4` and `1`, each only where this is the highest stable version of what it stands for.

    `published` are the versions that the registry has, `kinds` some of FLOATING. A pre-release gets none, and there
    is no tag `0`.
    """
    own = Version.parse(version)
    others = [Version.parse(v) for v in published if Version.is_valid(v)]
    stable = [v for v in others if not v.prerelease]
    if own.prerelease:
        return ()

    def highest(among: list[Version]) -> bool:
        return all(own >= other for other in among)

    tags = []
    if "latest" in kinds and highest(stable):
        tags.append("latest")
    if "X.Y" in kinds and highest([v for v in stable if (v.major, v.minor) == (own.major, own.minor)]):
        tags.append(f"{own.major}.{own.minor}")
    if "X" in kinds and own.major and highest([v for v in stable if v.major == own.major]):
        tags.append(str(own.major))
    return tuple(tags)


def stray(facts: TagFacts, version: str, names: tuple[str, ...]) -> tuple[Finding, ...]:
    """Tags of higher stable versions that no git tag knows: they keep floating tags where they are for ever."""
    if facts.released is None:
        return ()
    own = Version.parse(version)
    form = next((name for name in names if version in name), version)
    findings = []
    for image, published in facts.published.items():
        for other in published:
            known = Version.parse(other) if Version.is_valid(other) else own
            if known.prerelease or known <= own or other in facts.released:
                continue
            tag = f"{image}:{form.replace(version, other)}"
            findings.append(
                Finding(
                    rule="stray-tag",
                    severity="warning",
                    object=tag,
                    message=f"{tag} is in the registry, but no git tag of {other} exists.",
                    why=f"While it is there, {version} does not count as the highest version.",
                    fix=f"If it is no release, delete it: `crane delete {tag}`, or in the registry's web page.",
                )
            )
    return tuple(findings)


def plan(
    version: str, names: tuple[str, ...], commit: str, facts: TagFacts, *, floating: tuple[str, ...] = ()
) -> tuple[Tagging, ...]:
    """Every tag of every image, `names` those of the release.

    Stop(tag-taken) when one that never moves names other content.
    """
    wanted = []
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
            wanted.append(tagging)
    return tuple(wanted)


def _taken(tagging: Tagging) -> Stop:
    return Stop(
        "tag-taken",
        f"{tagging.image}:{tagging.tag} names another image.",
        f"The registry has {tagging.before}, this release has {tagging.digest}; such a tag never moves.",
        "Build the release once and pass its digest on; for other content make a new version.",
    )
