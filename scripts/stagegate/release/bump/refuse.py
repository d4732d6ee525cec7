"""Refuses a version that is used twice or goes back: every function returns nothing or raises Stop."""

from __future__ import annotations

from stagegate.errors import Stop
from stagegate.release.bump.next_version import highest_final
from stagegate.release.bump.plan_facts import BumpFacts
from stagegate.release.version_files import Held
from stagegate.versions import Version


def ahead(version: str, current: str, held: tuple[Held, ...], facts: BumpFacts, previous: str) -> None:
    """Files that are ahead of the tags would go backwards. Stop(bad-settings)."""
    if previous and current and Version.parse(current) > Version.parse(version) and current not in facts.tags:
        raise Stop(
            "bad-settings",
            f"{held[0].place.file} holds {current}, but the newest tag of {facts.branch} is {previous}.",
            f"The next version would be {version}, and files never go back to a lower version.",
            f"Run with `bump: {current}` to release what the files hold, or write {previous} into them.",
            file=held[0].place.file,
            line=held[0].line,
        )


def foreign(current: str, facts: BumpFacts, prefix: str) -> None:
    """A version that an earlier tag of another form has would be released twice. Stop(tag-taken)."""
    twin = next((tag for tag in facts.foreign if tag.endswith(current)), "") if current else ""
    if facts.reachable or not twin:
        return
    old = twin.removesuffix(current)
    raise Stop(
        "tag-taken",
        f"No tag begins with {prefix!r}, but {twin} exists and the version files hold {current}.",
        "Releasing it as a first version would give the same number to two commits.",
        f"Write `version.old-prefixes: [{old!r}]` if those tags are this app's, or run with an exact `bump`.",
    )


def behind_charts(version: str, facts: BumpFacts) -> None:
    """A chart that was published without a tag shows that tags are missing. Stop(older-version)."""
    newest, tagged = highest_final(facts.charts), highest_final(facts.tags)
    beyond = newest and (not tagged or Version.parse(newest) > Version.parse(tagged))
    if not beyond or Version.parse(version) > Version.parse(newest):
        return
    raise Stop(
        "older-version",
        f"The registry has the chart {newest}, and the next version would be {version}.",
        f"No tag of {newest} exists. People who install the newest chart would never get this release.",
        f"Run with `bump` and a version above {newest}, or delete the chart {newest} if it is not a release.",
    )


def unfit(version: str, facts: BumpFacts, prefix: str, previous: str) -> None:
    """A version is used once, and goes up along a branch. Stop(tag-taken|version-taken|older-version)."""
    taken = facts.tags.get(version)
    if taken:
        raise Stop(
            "tag-taken",
            f"{prefix}{version} exists already.",
            f"It is the tag of {taken[:12]}, and a published version never changes.",
            "Give the input `bump` a version that is free.",
        )
    if version in facts.charts:
        raise Stop(
            "version-taken",
            f"The registry has the chart {version} already.",
            f"There is no tag {prefix}{version}, and a published version never changes.",
            "Give the input `bump` a version that is free.",
        )
    if previous and Version.parse(version) < Version.parse(previous):
        same = Version.parse(version).finalize_version() == Version.parse(previous).finalize_version()
        text = " SemVer compares a name with a number and no dot, such as rc10, as text." if same else ""
        raise Stop(
            "older-version",
            f"{version} is older than {previous}.",
            f"{previous} is in the history of {facts.branch}, and versions go up along a branch.{text}",
            "Give a higher version, or release from the branch of the older line.",
        )
