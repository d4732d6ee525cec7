"""version-files: the version files exist, contain the same version, and can be changed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from stagegate.argocd_app.tree import clean
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.release import version_files
from stagegate.release.version_files import VersionInFile
from stagegate.settings import Settings, VersionFile
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.versions import Version


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Each file by itself, then whether all contain the same version, then the Git tags."""
    for config, settings in facts.valid:
        if settings.source:
            continue
        versions: list[VersionInFile] = []
        for place in settings.version.places:
            try:
                versions += version_files.read(place, facts.tree.file(place.file))
            except Stop as stop:
                yield finding("error", stop.what, stop.why, stop.next, file=stop.file or config)
        prefixed = version_files.with_v(tuple(versions))
        for item in prefixed:
            yield finding(
                "error",
                f"{item.place.file}, line {item.line}, has {item.version}, with a `v`.",
                "version-bump compares and writes versions without the `v`.",
                version_files.bare_cure(item.place),
                file=item.place.file,
            )
        bare = [item for item in versions if item not in prefixed]
        for item in [item for item in bare if not Version.is_valid(item.version)]:
            bare.remove(item)
            shown = " ".join(item.version.split())[:60]
            yield finding(
                "error",
                f"{item.place.file}, line {item.line}, has '{shown}', which is not a version.",
                "version-bump expects exactly one SemVer version, such as 1.4.2, in this place.",
                f"Write only the version into {item.place.file}, or add a `path` or a `pattern` "
                f"for the version under version.files in {config}.",
                file=item.place.file,
                line=item.line,
            )
        for disagreement in version_files.disagreements(tuple(bare), bare[0].version) if bare else ():
            yield finding(
                "error",
                disagreement.message,
                "version-bump refuses to guess which version is right.",
                f"Write {bare[0].version} in {disagreement.file}.",
                file=disagreement.file,
            )
        yield from _chart(facts, settings, config)
        yield from _forgotten(facts, settings, config, bare[0].version if bare else "")
        yield from _tags(facts, settings, config, bare[0] if bare else None)


def _chart(facts: DoctorFacts, settings: Settings, config: str) -> Iterator[Finding]:
    """Findings for the two versions of Chart.yaml, which must both be the release's for helm-publish."""
    chart_settings = settings.own_chart
    file = f"{clean(chart_settings.path)}/Chart.yaml" if chart_settings else ""
    if not file or facts.tree.file(file) is None or not settings.version.places:
        return
    moved = " ".join(
        place.path or place.pattern or "version appVersion"
        for place in settings.version.places
        if clean(place.file) == file
    )
    missing = [key for key in ("version", "appVersion") if not re.search(rf"\b{key}\b", moved)]
    if missing:
        yield finding(
            "error",
            f"version-bump does not update {' and '.join(missing)} of {file}.",
            "helm-publish refuses a chart whose version or appVersion is not the version of the "
            "release. When helm-publish runs, the tag already exists and the images are already in "
            "the registry.",
            f"Write `- {file}` under version.files in {config}: without a `path`, version-bump updates both.",
            file=config,
        )


def _forgotten(facts: DoctorFacts, settings: Settings, config: str, version: str) -> Iterator[Finding]:
    """Findings for files with the same version that are not listed."""
    listed = {clean(place.file) for place in settings.version.places}
    folders = {posixpath.dirname(file) for file in listed} | (set() if facts.several else {""})
    for file in facts.survey.version_files:
        if not version or file in listed or posixpath.dirname(file) not in folders:
            continue
        try:
            found = version_files.read(VersionFile(file=file), facts.tree.file(file))
        except Stop:
            continue
        if found and all(one.version == version for one in found):
            yield finding(
                "warning",
                f"{file} holds {version} too, and version-bump does not move it.",
                "After the next release the two differ.",
                f"Write `- {file}` under version.files in {config}, unless it belongs to something else.",
                file=file,
            )


def _tags(
    facts: DoctorFacts, settings: Settings, config: str, first: VersionInFile | None
) -> Iterator[Finding]:
    """Findings for a version in the files that is newer than every tag, and for tags that version-bump ignores."""
    prefix = settings.version.tag_prefix
    prefixes = {prefix, *settings.version.old_prefixes, *(("v", "") if prefix in ("v", "") else ())}
    versions = [
        tag[len(start) :]
        for tag in facts.survey.tags
        for start in prefixes
        if tag.startswith(start) and Version.is_valid(tag[len(start) :])
    ]
    newest = max(versions, key=Version.parse, default="")
    if first and newest and Version.parse(first.version) > Version.parse(newest):
        yield finding(
            "warning",
            f"{first.place.file} has {first.version}, but the newest tag is {prefix}{newest}.",
            "version-bump stops in this case, because no tag shows whether the version in the file "
            "was released.",
            f"If the version was released: git tag -a {prefix}{first.version} <commit> && git push "
            f"origin {prefix}{first.version}. If not, write {newest} into the file.",
            file=first.place.file,
        )
    if facts.several or versions:
        return
    unmatched = next((tag for tag in facts.survey.tags if re.search(r"\d+\.\d+\.\d+$", tag)), "")
    if unmatched:
        start = re.sub(r"\d+\.\d+\.\d+$", "", unmatched)
        yield finding(
            "warning",
            f"Tags such as {unmatched} do not begin with `{prefix}`, so version-bump ignores them.",
            "The versions would start again from the first version.",
            f'Write `tag-prefix: "{start}"`, or `old-prefixes: ["{start}"]`, in {config}.',
            file=config,
        )


CHECK = DoctorCheck(
    name="version-files",
    looks_at="The files of `version.files`, whether they agree, and the prefix of existing tags",
    cure="Correct the file, or remove it from `version.files`.",
    check=check,
)
