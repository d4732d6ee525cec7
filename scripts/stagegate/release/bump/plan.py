"""Which version comes next, decided from facts alone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import semver

from stagegate.errors import Stop
from stagegate.model import Finding, parse_version
from stagegate.release import changelog, version_files
from stagegate.release.bump import changes
from stagegate.release.bump.changes import Changes, CommitFact
from stagegate.release.bump.next_version import WORDS, following, highest, top
from stagegate.report import markdown
from stagegate.settings import Settings

APP, VERSION, RUN = "Stagegate-App", "Stagegate-Version", "Stagegate-Run"
NOTES_LIMIT = 60_000  # GitHub refuses longer texts of tags and releases
_NO_NOTES = "No changes that users would notice."


class BumpFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the decision needs.

    `tags` are all versions of this app (version -> commit), `names` their tags, `reachable` those in this branch's
    history. `commits` are those since the newest reachable version, newest first, and `since_final` those since the
    newest final one. `own` is the release commit that an earlier attempt of this
    run made (sha, version), if any. `foreign` are version tags with a prefix that the settings do not name.
    """

    branch: str
    head: str
    today: str
    tags: Mapping[str, str]
    reachable: tuple[str, ...]
    commits: tuple[CommitFact, ...]
    since_final: tuple[CommitFact, ...] = ()
    contents: Mapping[str, bytes | None]
    own: tuple[str, str] | None = None
    names: Mapping[str, str] = {}
    foreign: tuple[str, ...] = ()


class BumpPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to do: `reason` is the result's word, `files` new bytes, `commit` an existing release commit."""

    reason: str
    detail: str
    version: str = ""
    tag: str = ""
    previous: str = ""
    level: str = ""
    notes: str = ""
    files: Mapping[str, bytes] = {}
    commit: str = ""
    findings: tuple[Finding, ...] = ()
    unread: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def plan(settings: Settings, facts: BumpFacts, bump: str) -> BumpPlan:
    """Decide the next version.

    `bump` is one of WORDS or an exact version. An earlier attempt's commit is completed, a
    tagged head is already released, and commits that only move pins or are our own never cause a release.
    """
    previous = highest(facts.reachable)
    base = BumpPlan(reason="released", detail="", previous=previous)
    prefix = settings.version.tag_prefix
    if facts.own:
        sha, version = facts.own
        notes = _section_notes(settings, facts, version)
        return _as(base, version=version, tag=prefix + version, commit=sha, notes=notes, detail="completed")
    here = highest([v for v, sha in facts.tags.items() if sha == facts.head])
    if here and bump in ("auto", here):
        tag = facts.names.get(here, prefix + here)
        detail = f"{tag} is the newest commit of {facts.branch}."
        return _as(base, reason="already-released", detail=detail, version=here, tag=tag, commit=facts.head)
    held = version_files.read_all(settings.version.places, facts.contents)
    current = _agreed(held)
    recent = changes.read(facts.commits)
    noted = changes.read(facts.since_final) if facts.since_final else recent
    base = _as(base, unread=recent.unread, warnings=recent.warnings)
    version, level = _next(bump, facts, current, recent, noted)
    if not version:
        tag = facts.names.get(previous, prefix + previous)
        return _as(
            base,
            reason="no-release-needed",
            detail=_nothing(facts, recent, previous),
            version=previous,
            tag=tag,
        )
    if bump in WORDS:
        _refuse_ahead(version, current, held, facts, previous)
        _refuse_foreign(current, facts, prefix)
    _refuse_unfit(version, facts, prefix, previous)
    notes, files = _written(
        settings, facts, recent if semver.Version.parse(version).prerelease else noted, version
    )
    return _as(
        base, version=version, tag=prefix + version, level=level, notes=notes, files=files, detail=bump
    )


def verify(settings: Settings, facts: BumpFacts, expected: str) -> BumpPlan:
    """Check that all version files hold one version; with `expected`, that it is that one and tagged here.

    Without `expected` the tag may be on an earlier commit: files keep their version until the next release.
    """
    held = version_files.read_all(settings.version.places, facts.contents)
    version = expected or (held[0].version if held else "")
    parse_version(version, source=settings.version.places[0].file if held else "version")
    findings = list(version_files.disagreements(held, version))
    tag = settings.version.tag_prefix + version
    commit = facts.tags.get(version, "")
    if expected and commit and commit != facts.head:
        why = f"It is the tag of {commit[:12]}, and a published version never changes."
        message = f"{tag} exists, but not on this commit ({facts.head[:12]})."
        fix = "Check out the tag, or release a new version."
        findings.append(Finding(rule="tag", severity="error", message=message, why=why, fix=fix))
    reason = "findings" if findings else "verified"
    detail = f"{len(held)} places hold {version}."
    return BumpPlan(
        reason=reason, detail=detail, version=version, tag=tag, commit=commit, findings=tuple(findings)
    )


def _as(base: BumpPlan, **changes: object) -> BumpPlan:
    return msgspec.structs.replace(base, **changes)


def _agreed(held: tuple[version_files.Held, ...]) -> str:
    """The version the files agree on. Stop(bad-settings) otherwise: moving them would hide the difference."""
    versions = {item.version for item in held}
    if len(versions) == 1:
        return str(parse_version(versions.pop(), source=held[0].place.file))
    listed = ", ".join(f"{item.place.file} line {item.line}: {item.version}" for item in held)
    raise Stop(
        "bad-settings",
        "The version files do not agree.",
        f"They hold {listed}." if held else "version.files is empty.",
        "Write the same version everywhere, commit it, and run again.",
        file=held[0].place.file if held else None,
        line=held[0].line if held else None,
    )


def _next(bump: str, facts: BumpFacts, current: str, recent: Changes, noted: Changes) -> tuple[str, str]:
    if bump not in WORDS:
        return str(parse_version(bump, source="bump")), "exact"
    if not facts.reachable:
        if facts.foreign:
            return str(parse_version(current, source="version file").finalize_version()), "first"
        first = str(parse_version(current, source="version file").finalize_version()) if current else "0.0.0"
        return (first if first != "0.0.0" else "0.1.0"), "first"
    return following(
        bump,
        reachable=facts.reachable,
        taken=facts.tags.keys(),
        recent=top(reading.level for reading in recent.readings),
        since_final=top(reading.level for reading in noted.readings),
    )


def _nothing(facts: BumpFacts, recent: Changes, previous: str) -> str:
    counted = sum(commit.counts for commit in facts.commits)
    left = len(facts.commits) - counted
    aside = f" {left} more change only pins, versions or files of other apps." if left else ""
    unread = f" Without a conventional title: {'; '.join(recent.unread[:5])}." if recent.unread else ""
    none = f"None of the {counted} commits since {previous} is a feat, fix, perf or breaking change"
    return f"{none} that is still there.{aside}{unread}"


def _refuse_ahead(
    version: str, current: str, held: tuple[version_files.Held, ...], facts: BumpFacts, previous: str
) -> None:
    """Files that are ahead of the tags would go backwards. Stop(bad-settings)."""
    if (
        previous
        and current
        and semver.Version.parse(current) > semver.Version.parse(version)
        and current not in facts.tags
    ):
        raise Stop(
            "bad-settings",
            f"{held[0].place.file} holds {current}, but the newest tag of {facts.branch} is {previous}.",
            f"The next version would be {version}, and files never go back to a lower version.",
            f"Run with `bump: {current}` to release what the files hold, or write {previous} into them.",
            file=held[0].place.file,
            line=held[0].line,
        )


def _refuse_foreign(current: str, facts: BumpFacts, prefix: str) -> None:
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


def _refuse_unfit(version: str, facts: BumpFacts, prefix: str, previous: str) -> None:
    """A version is used once, and goes up along a branch. Stop(tag-taken|older-version)."""
    taken = facts.tags.get(version)
    if taken:
        raise Stop(
            "tag-taken",
            f"{prefix}{version} exists already.",
            f"It is the tag of {taken[:12]}, and a published version never changes.",
            "Give the input `bump` a version that is free.",
        )
    if previous and semver.Version.parse(version) < semver.Version.parse(previous):
        raise Stop(
            "older-version",
            f"{version} is older than {previous}.",
            f"{previous} is in the history of {facts.branch}, and versions go up along a branch.",
            "Give a higher version, or release from the branch of the older line.",
        )


def _written(
    settings: Settings, facts: BumpFacts, counted: Changes, version: str
) -> tuple[str, dict[str, bytes]]:
    files: dict[str, bytes] = {}
    for place in settings.version.places:
        content = files.get(place.file) or facts.contents.get(place.file) or b""
        files[place.file] = version_files.write(place, content, version)
    log = settings.version.changelog
    text = changelog.text(facts.contents.get(log) or b"") if log else ""
    notes = changelog.notes(counted.readings, changelog.unreleased(text)) or _NO_NOTES
    if log:
        files[log] = changelog.data(changelog.add(text, version, facts.today, notes))
    return _bounded(notes), {name: data for name, data in files.items() if data != facts.contents.get(name)}


def _section_notes(settings: Settings, facts: BumpFacts, version: str) -> str:
    """The notes an earlier attempt wrote, read back from the changelog at the release commit."""
    text = changelog.text(facts.contents.get(settings.version.changelog) or b"")
    section = changelog.section(text, version) or changelog.notes(changes.read(facts.commits).readings)
    return _bounded(section)


def _bounded(notes: str) -> str:
    readable = notes.encode("utf-8", "replace").decode()
    return markdown.shorten(
        readable, NOTES_LIMIT, "The notes are longer than a tag may hold; see the changelog."
    )
