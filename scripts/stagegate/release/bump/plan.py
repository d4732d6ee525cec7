"""Decides the next version from the facts. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from stagegate.errors import Stop
from stagegate.model import Finding, parse_version
from stagegate.release import version_files
from stagegate.release.bump import changes, refuse, writing
from stagegate.release.bump.changes import Changes
from stagegate.release.bump.next_version import WORDS, following, highest, top
from stagegate.release.bump.plan_facts import BumpFacts, BumpPlan
from stagegate.release.version_files import VersionInFile
from stagegate.settings import Settings
from stagegate.versions import Version


class NextVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The version of a group of apps, and its level."""

    version: str
    level: str


def plan(
    settings: Settings,
    facts: BumpFacts,
    bump: str,
    *,
    common: NextVersion | None = None,
    only_tag: bool = False,
) -> BumpPlan:
    """Decide the next version.

    `bump` is one of WORDS or an exact version, `common` the decision for the app's group. The commit of an earlier
    attempt is completed, a tagged head is already released, and commits that only change pins or were made by
    stagegate never cause a release. With `only_tag` no file changes, and a newer version in the files is the next
    one. Without version files only the tag has the version. Stop as in `refuse`, and Stop(bad-settings).
    """
    previous = highest(facts.reachable)
    base = BumpPlan(reason="released", detail="", previous=previous)
    prefix = settings.version.tag_prefix
    if facts.own:
        sha, version = facts.own
        notes = writing.section_notes(settings, facts, version)
        return _as(base, version=version, tag=prefix + version, commit=sha, notes=notes, detail="completed")
    at_head = highest([v for v, sha in facts.tags.items() if sha == facts.head])
    if at_head and bump in ("auto", at_head) and (common is None or common.version in ("", at_head)):
        tag = facts.names.get(at_head, prefix + at_head)
        detail = f"The tag {tag} is already on the newest commit of {facts.branch}."
        return _as(
            base, reason="already-released", detail=detail, version=at_head, tag=tag, commit=facts.head
        )
    in_files = version_files.read_all(settings.version.places, facts.contents)
    current = _agreed(in_files) if in_files else ""
    recent = changes.read(facts.commits)
    noted = changes.read(facts.since_final) if facts.since_final else recent
    base = _as(base, unread=recent.unread, warnings=recent.warnings)
    version, level = (
        (common.version, common.level) if common else next_version(bump, facts, current, recent, noted)
    )
    if not version:
        tag = facts.names.get(previous, prefix + previous)
        detail = _nothing(facts, recent, previous)
        return _as(base, reason="no-release-needed", detail=detail, version=previous, tag=tag)
    if only_tag:
        version = _tag_version(version, current, in_files, facts)
    elif bump in WORDS and not common:
        refuse.ahead(version, current, in_files, facts, previous)
    if bump in WORDS:
        refuse.foreign(current, facts, prefix)
        refuse.behind_charts(version, facts)
    refuse.unfit(version, facts, prefix, previous)
    base = _as(base, warnings=(*base.warnings, *_past_nine(previous, version)))
    counted = recent if Version.parse(version).prerelease else noted
    notes, files = writing.written(settings, facts, counted, version)
    return _as(
        base,
        version=version,
        tag=prefix + version,
        level=level,
        notes=notes,
        files={} if only_tag else files,
        detail=bump,
    )


def next_version(
    bump: str, facts: BumpFacts, current: str, recent: Changes, noted: Changes
) -> tuple[str, str]:
    """The next version and its level, both empty where no change needs one.

    `current` is the version in the files.
    """
    if bump not in WORDS:
        return str(parse_version(bump, source="bump")), "exact"
    if not facts.reachable:
        first = str(parse_version(current, source="version file").finalize_version()) if current else "0.0.0"
        return (first if first != "0.0.0" or facts.foreign else "0.1.0"), "first"
    return following(
        bump,
        reachable=facts.reachable,
        taken={*facts.tags, *facts.charts},
        recent=top(reading.level for reading in recent.readings),
        since_final=top(reading.level for reading in noted.readings),
    )


def verify(settings: Settings, facts: BumpFacts, expected: str) -> BumpPlan:
    """Check that all version files contain the same version. With `expected`, it must be that one, tagged here.

    Without `expected` the tag may be on an earlier commit: files keep their version until the next release.
    """
    in_files = version_files.read_all(settings.version.places, facts.contents)
    version = expected or (in_files[0].version if in_files else "")
    parse_version(version, source=settings.version.places[0].file if in_files else "version")
    findings = list(version_files.disagreements(in_files, version))
    tag = settings.version.tag_prefix + version
    commit = facts.tags.get(version, "")
    if expected and commit and commit != facts.head:
        why = f"The tag belongs to commit {commit[:12]}, and a published version never changes."
        message = f"The tag {tag} exists, but not on the commit {facts.head[:12]} of this run."
        fix = "Check out the tag, or release a new version."
        findings.append(Finding(rule="tag", severity="error", message=message, why=why, fix=fix))
    reason = "findings" if findings else "verified"
    detail = f"{len(in_files)} places contain {version}."
    return BumpPlan(
        reason=reason, detail=detail, version=version, tag=tag, commit=commit, findings=tuple(findings)
    )


def _as(base: BumpPlan, **changes: object) -> BumpPlan:
    return msgspec.structs.replace(base, **changes)


def _agreed(in_files: tuple[VersionInFile, ...]) -> str:
    """The version in all files. Stop(bad-settings) if they differ: writing a new one would hide the difference."""
    versions = {item.version for item in in_files}
    if len(versions) == 1:
        return str(parse_version(versions.pop(), source=in_files[0].place.file))
    listed = ", ".join(f"{item.place.file} line {item.line}: {item.version}" for item in in_files)
    raise Stop(
        "bad-settings",
        "The version files do not agree.",
        f"The files contain {listed}.",
        "Write the same version into every file, commit the files, and run the job again.",
        file=in_files[0].place.file,
        line=in_files[0].line,
    )


def _tag_version(version: str, current: str, in_files: tuple[VersionInFile, ...], facts: BumpFacts) -> str:
    """The version to tag where no file changes: the one in the files, if it is new. Stop(bad-settings)."""
    if not in_files or current == version:
        return version
    if current not in facts.tags and Version.parse(current) > Version.parse(version):
        return current
    raise Stop(
        "bad-settings",
        f"{in_files[0].place.file} contains {current}, and the next version is {version}.",
        "`mode: tag` changes no file, so the files of the release would have a different version "
        "from the tag.",
        f"Write {version} into the version files first, use `mode: commit`, or set `version.files: []`.",
        file=in_files[0].place.file,
        line=in_files[0].line,
    )


def _past_nine(previous: str, version: str) -> Iterator[str]:
    """The warning that explains why rc9.1, not rc10, follows rc9."""
    if previous[-1:].isdigit() and version == f"{previous}.1":
        yield (
            f"The version after {previous} is {version}, because SemVer compares names such as rc9 "
            "as text, and sorts rc10 below rc9. Names with a dot, such as rc.1, continue after 9."
        )


def _nothing(facts: BumpFacts, recent: Changes, previous: str) -> str:
    counted = sum(commit.counts for commit in facts.commits)
    ignored = len(facts.commits) - counted
    ignored_text = (
        f" {ignored} other commits change only pins, versions or files of other apps." if ignored else ""
    )
    unread = (
        f" These commits have no conventional title: {'; '.join(recent.unread[:5])}." if recent.unread else ""
    )
    none = f"None of the {counted} commits since {previous} is a feat, fix, perf or breaking change"
    return f"{none}, or all such commits were reverted.{ignored_text}{unread}"
