"""Computes the next version from the request, the existing versions and the changes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from stagegate.release.conventional import RANK, Level
from stagegate.versions import Version

LEVELS = ("major", "minor", "patch")
WORDS = ("auto", *LEVELS, "prerelease", "release")


def highest(versions: Iterable[str]) -> str:
    """The highest version by SemVer, or nothing."""
    return max(versions, key=Version.parse, default="")


def highest_final(versions: Iterable[str]) -> str:
    """The highest version that is no pre-release, or nothing."""
    return highest(version for version in versions if not Version.parse(version).prerelease)


def following(
    bump: str,
    *,
    reachable: Collection[str],
    taken: Collection[str],
    recent: Level | None,
    since_final: Level | None,
) -> tuple[str, str]:
    """The next version and its level; both empty when no change needs one.

    `bump` is one of WORDS. `reachable` are the versions in the branch's history (at least one), `taken` all
    existing versions. `recent` is the level of the commits since the newest reachable version, `since_final` that
    of the commits since the newest final one. Versions that exist on another branch are skipped.
    """
    previous = Version.parse(highest(reachable))
    final = highest_final(reachable)
    if previous.prerelease:
        return _on_prerelease(bump, previous, final, taken, recent, since_final)
    level: Level | None = bump if bump in LEVELS else recent  # type: ignore[assignment]
    if bump == "prerelease":
        level = level or "patch"
    if level is None:
        return "", ""
    if bump not in LEVELS:
        level = _before_one(previous, level)
    free = _free(previous.next_version(level), level, taken)
    if bump == "prerelease":
        return _candidate(previous.next_version(level), taken, level), level
    return str(free), level


def _on_prerelease(
    bump: str,
    previous: Version,
    final: str,
    taken: Collection[str],
    recent: Level | None,
    since_final: Level | None,
) -> tuple[str, str]:
    """The version after a pre-release: another one, until `release` or a level above the announced version."""
    announced = previous.finalize_version()
    level: Level | None = bump if bump in LEVELS else recent  # type: ignore[assignment]
    if bump == "release":
        level = since_final or "patch"
        return str(_free(announced, level, taken)), level
    if bump == "prerelease":
        level = level or "patch"
    if level is None:
        return "", ""
    base = Version.parse(final) if final else None
    requested = (
        base.next_version(level if bump in LEVELS else _before_one(base, level)) if base else announced
    )
    if requested > announced and bump != "prerelease":
        return str(_free(requested, level, taken)), level
    if bump in LEVELS:
        return str(_free(announced, level, taken)), level
    if requested > announced:
        return _candidate(requested, taken, level), level
    if (
        str(announced) in taken
    ):  # released on another branch: a candidate for it would be older than that release
        name = re.match(r"[A-Za-z-]*", previous.prerelease or "")[0] or "rc"  # type: ignore[index]
        return _candidate(announced, taken, level, name), level
    return _numbered(previous, taken), level


def _before_one(version: Version, level: Level) -> Level:
    """The level for a version: while the major version is 0, a breaking change increases minor."""
    return "minor" if level == "major" and version.major == 0 else level


def _free(version: Version, level: Level, taken: Collection[str]) -> Version:
    while str(version) in taken:
        version = version.next_version(level)
    return version


def _candidate(target: Version, taken: Collection[str], level: Level, name: str = "rc") -> str:
    return _numbered(_free(target, level, taken)._replace(prerelease=f"{name}.0"), taken)


def _numbered(version: Version, taken: Collection[str]) -> str:
    """The next free pre-release of the same name: rc.1, rc.2 and so on.

    A name without a dot ends at 9, because SemVer compares it as text and sorts rc10 below rc9. rc9.1 follows rc9.
    """
    name = version.prerelease or "rc.0"
    head, number = re.fullmatch(r"(.*?)(\d*)", name).groups()  # type: ignore[union-attr]
    count = int(number or 0)
    if not number:
        head += "."
    while True:
        count += 1
        following = version._replace(prerelease=f"{head}{count}", build=None)
        if following < version:
            head, count = f"{name}.", 0
        elif str(following) not in taken:
            return str(following)


def top(levels: Iterable[Level | None]) -> Level | None:
    """The highest level."""
    return max(levels, key=lambda level: RANK[level], default=None)
