"""Refuses a version that exists already or is too low: every function returns nothing or raises Stop."""

from __future__ import annotations

from stagegate.errors import Stop
from stagegate.release.bump.next_version import highest_final
from stagegate.release.bump.plan_facts import BumpFacts
from stagegate.release.version_files import VersionInFile
from stagegate.versions import Version


def ahead(
    version: str, current: str, in_files: tuple[VersionInFile, ...], facts: BumpFacts, previous: str
) -> None:
    """Refuse to write a lower version into files that are ahead of the tags. Stop(bad-settings)."""
    if previous and current and Version.parse(current) > Version.parse(version) and current not in facts.tags:
        raise Stop(
            "bad-settings",
            f"{in_files[0].place.file} contains {current}, but the newest tag of {facts.branch} is {previous}.",
            f"The next version would be {version}, but the version in files must never decrease.",
            f"Run with `bump: {current}` to release the version in the files, or write {previous} "
            "into the files.",
            file=in_files[0].place.file,
            line=in_files[0].line,
        )


def foreign(current: str, facts: BumpFacts, prefix: str) -> None:
    """Refuse a version that a tag with another prefix has. Stop(tag-taken)."""
    twin = next((tag for tag in facts.foreign if _is_of(tag, current)), "") if current else ""
    if facts.reachable or not twin:
        return
    prefix_of_tag = twin.removesuffix(current)
    raise Stop(
        "tag-taken",
        f"No tag begins with {prefix!r}, but the tag {twin} exists, and the version files contain {current}.",
        "If this run made a first release, two commits would have the same version.",
        f"If tags such as {twin} belong to this app, write `version.old-prefixes: "
        f"[{prefix_of_tag!r}]`. Otherwise run with an exact version as `bump`.",
    )


def _is_of(tag: str, version: str) -> bool:
    """Whether a tag ends with exactly this version: shop-11.0.0 is no tag of 1.0.0."""
    before = tag.removesuffix(version)
    return before != tag and not (before.endswith(".") or before[-1:].isdigit())


def behind_charts(version: str, facts: BumpFacts) -> None:
    """Refuse a version that is not above a published chart without a tag. Stop(older-version)."""
    newest, tagged = highest_final(facts.charts), highest_final(facts.tags)
    untagged = newest and (not tagged or Version.parse(newest) > Version.parse(tagged))
    if not untagged or Version.parse(version) > Version.parse(newest):
        return
    raise Stop(
        "older-version",
        f"The registry has the chart {newest}, but the next version would be {version}.",
        f"There is no tag of {newest}, and people who install the newest chart would never get the "
        "next release.",
        f"Run with `bump` and a version above {newest}, or delete the chart {newest} if it is not a release.",
    )


def unfit(version: str, facts: BumpFacts, prefix: str, previous: str) -> None:
    """Refuse an existing or lower version. Stop(tag-taken|version-taken|older-version)."""
    taken = facts.tags.get(version)
    if taken:
        raise Stop(
            "tag-taken",
            f"The tag {prefix}{version} already exists.",
            f"The tag belongs to commit {taken[:12]}, and a published version never changes.",
            "Set the input `bump` to a version that does not exist yet.",
        )
    if version in facts.charts:
        raise Stop(
            "version-taken",
            f"The registry already has the chart {version}.",
            f"There is no tag {prefix}{version}, so the published chart belongs to a different "
            "release. A published version never changes.",
            "Set the input `bump` to a version that does not exist yet.",
        )
    if previous and Version.parse(version) < Version.parse(previous):
        same_release = Version.parse(version).finalize_version() == Version.parse(previous).finalize_version()
        hint = (
            " SemVer compares a name with a number but no dot, such as rc10, as text." if same_release else ""
        )
        raise Stop(
            "older-version",
            f"{version} is older than {previous}.",
            f"The history of {facts.branch} contains {previous}, and versions on a branch must "
            f"increase.{hint}",
            "Set `bump` to a higher version, or release from the branch of the older line.",
        )
