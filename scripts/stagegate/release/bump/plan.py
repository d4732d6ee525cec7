"""Which version comes next, decided from facts alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
import semver

from stagegate.errors import Stop
from stagegate.model import Finding, parse_version
from stagegate.release import changelog, version_files
from stagegate.release.conventional import RANK, Level, Reading, read
from stagegate.settings import Settings

APP, VERSION, RUN = "Stagegate-App", "Stagegate-Version", "Stagegate-Run"
Mode = Literal["commit", "plan", "verify"]


class CommitFact(msgspec.Struct, frozen=True, kw_only=True):
    """A commit since the last release: `ours` when it carries our trailers."""

    sha: str
    subject: str
    body: str
    files: tuple[str, ...]
    ours: bool


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the decision needs.

    `tags` are all tags with the prefix (version -> commit), `reachable` the versions in this branch's
    history, `own` the release commit that an earlier attempt of this run made (sha, version), if any.
    `inert` are the files whose change alone causes no release: pins, their values, version files, changelog.
    """

    branch: str
    head: str
    today: str
    tags: Mapping[str, str]
    reachable: tuple[str, ...]
    commits: tuple[CommitFact, ...]
    contents: Mapping[str, bytes | None]
    inert: frozenset[str]
    own: tuple[str, str] | None = None


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


def plan(settings: Settings, facts: Facts, bump: str) -> BumpPlan:
    """Decide the next version.

    `bump` is auto, major, minor, patch or an exact version. An earlier attempt's commit is completed, a
    tagged head is already released, and commits that only move pins or are our own never cause a release.
    """
    previous = _highest(facts.reachable)
    base = BumpPlan(reason="released", detail="", previous=previous)
    prefix = settings.version.tag_prefix
    if facts.own:
        sha, version = facts.own
        notes = _section_notes(settings, facts, version)
        return _as(base, version=version, tag=prefix + version, commit=sha, notes=notes, detail="completed")
    here = _highest([v for v, sha in facts.tags.items() if sha == facts.head])
    if here and bump in ("auto", here):
        detail = f"{prefix}{here} is the newest commit of {facts.branch}."
        return _as(
            base, reason="already-released", detail=detail, version=here, tag=prefix + here, commit=facts.head
        )
    held = version_files.read_all(settings.version.places, facts.contents)
    current = _agreed(held)
    readings = _readings(facts)
    version, level = _next(bump, previous, current, readings, facts.reachable)
    if not version:
        counted = len(facts.commits)
        detail = f"None of the {counted} commits since {previous} is a feat, fix, perf or breaking change."
        return _as(base, reason="no-release-needed", detail=detail, version=previous, tag=prefix + previous)
    _refuse_unfit(version, facts, prefix, previous)
    notes, files = _written(settings, facts, readings, version)
    return _as(
        base, version=version, tag=prefix + version, level=level, notes=notes, files=files, detail=bump
    )


def verify(settings: Settings, facts: Facts, expected: str) -> BumpPlan:
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


def _highest(versions: tuple[str, ...] | list[str]) -> str:
    return max(versions, key=semver.Version.parse, default="")


def _agreed(held: tuple[version_files.Held, ...]) -> str:
    """The version the files agree on. Stop(bad-settings) otherwise: moving them would hide the difference."""
    versions = {item.version for item in held}
    if len(versions) == 1:
        return str(parse_version(versions.pop(), source=held[0].place.file).finalize_version())
    listed = ", ".join(f"{item.place.file} line {item.line}: {item.version}" for item in held)
    raise Stop(
        "bad-settings",
        "The version files do not agree.",
        f"They hold {listed}." if held else "version.files is empty.",
        "Write the same version everywhere, commit it, and run again.",
        file=held[0].place.file if held else None,
        line=held[0].line if held else None,
    )


def _readings(facts: Facts) -> tuple[Reading, ...]:
    """What the commits ask for, oldest first, without our own and those that touch only inert files."""
    counted = [c for c in facts.commits if not c.ours and not (c.files and set(c.files) <= facts.inert)]
    return tuple(read(commit.subject, commit.body) for commit in reversed(counted))


def _next(
    bump: str, previous: str, current: str, readings: tuple[Reading, ...], reachable: tuple[str, ...]
) -> tuple[str, str]:
    if bump not in ("auto", "major", "minor", "patch"):
        return str(parse_version(bump, source="bump")), "exact"
    if not previous:
        first = current if current not in ("", "0.0.0") else "0.1.0"
        return first, "first"
    stable = _highest([v for v in reachable if not semver.Version.parse(v).prerelease]) or previous
    level: Level | None = max((r.level for r in readings), key=lambda r: RANK[r], default=None)
    if bump != "auto":
        level = bump  # type: ignore[assignment]
    elif level == "major" and semver.Version.parse(stable).major == 0:
        level = "minor"
    if level is None:
        return "", ""
    if stable == previous and semver.Version.parse(stable).prerelease:
        return str(semver.Version.parse(stable).finalize_version()), level
    moved = semver.Version.parse(stable).next_version(level)
    pre = semver.Version.parse(previous)
    return str(max(moved, pre.finalize_version()) if pre.prerelease else moved), level


def _refuse_unfit(version: str, facts: Facts, prefix: str, previous: str) -> None:
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
    settings: Settings, facts: Facts, readings: tuple[Reading, ...], version: str
) -> tuple[str, dict[str, bytes]]:
    files: dict[str, bytes] = {}
    for place in settings.version.places:
        content = files.get(place.file) or facts.contents.get(place.file) or b""
        files[place.file] = version_files.write(place, content, version)
    log = settings.version.changelog
    text = (facts.contents.get(log) or b"").decode("utf-8", "replace") if log else ""
    notes = changelog.notes(readings, changelog.unreleased(text)) or "No changes that users would notice."
    if log:
        files[log] = changelog.add(text, version, facts.today, notes).encode()
    return notes, {name: data for name, data in files.items() if data != facts.contents.get(name)}


def _section_notes(settings: Settings, facts: Facts, version: str) -> str:
    """The notes an earlier attempt wrote, read back from the changelog at the release commit."""
    text = (facts.contents.get(settings.version.changelog) or b"").decode("utf-8", "replace")
    return changelog.section(text, version) or changelog.notes(_readings(facts))
