"""version-files: the files that hold the version exist, agree, and can be moved."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.argocd_app.tree import clean
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.release import version_files
from stagegate.release.version_files import Held
from stagegate.settings import Settings
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.versions import Version


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Each file by itself, then whether all say the same, then the Git tags."""
    for config, settings in facts.valid:
        if settings.source:
            continue
        held: list[Held] = []
        for place in settings.version.places:
            try:
                held += version_files.read(place, facts.tree.file(place.file))
            except Stop as stop:
                yield finding("error", stop.what, stop.why, stop.next, file=stop.file or config)
        prefixed = version_files.with_v(tuple(held))
        for one in prefixed:
            yield finding(
                "error",
                f"{one.place.file}, line {one.line}, has {one.version}, with a `v`.",
                "version-bump compares and writes the version without it.",
                version_files.bare_cure(one.place),
                file=one.place.file,
            )
        held = [one for one in held if one not in prefixed]
        for one in [one for one in held if not Version.is_valid(one.version)]:
            held.remove(one)
            shown = " ".join(one.version.split())[:60]
            yield finding(
                "error",
                f"{one.place.file}, line {one.line}, has '{shown}', which is no version.",
                "version-bump reads one SemVer version such as 1.4.2 there, and nothing else.",
                f"Write the version alone into {one.place.file}, or name its place with a `path` or `pattern` "
                f"under version.files in {config}.",
                file=one.place.file,
                line=one.line,
            )
        for item in version_files.disagreements(tuple(held), held[0].version) if held else ():
            yield finding(
                "error",
                item.message,
                "version-bump refuses to guess which one is right.",
                f"Write {held[0].version} in {item.file}.",
                file=item.file,
            )
        yield from _chart(facts, settings, config)
        yield from _tags(facts, settings, config, held)


def _chart(facts: DoctorFacts, settings: Settings, config: str) -> Iterator[Finding]:
    """The two versions of Chart.yaml, which helm-publish demands to be the release's."""
    own = settings.own_chart
    file = f"{clean(own.path)}/Chart.yaml" if own else ""
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
            f"version-bump does not move {' and '.join(missing)} of {file}.",
            "helm-publish refuses a chart whose version or appVersion is not the release's. By then the tag "
            "exists, and the images are in the registry.",
            f"Write `- {file}` under version.files in {config}: without `path` both are moved.",
            file=config,
        )


def _tags(facts: DoctorFacts, settings: Settings, config: str, held: list[Held]) -> Iterator[Finding]:
    """Versions in files that no tag has yet, and tags that nobody will see."""
    prefix = settings.version.tag_prefix
    known = {prefix, *settings.version.old_prefixes, *(("v", "") if prefix in ("v", "") else ())}
    versions = [
        tag[len(start) :]
        for tag in facts.survey.tags
        for start in known
        if tag.startswith(start) and Version.is_valid(tag[len(start) :])
    ]
    newest = max(versions, key=Version.parse, default="")
    if held and newest and Version.is_valid(held[0].version):
        ahead = Version.parse(held[0].version) > Version.parse(newest)
        if ahead:
            yield finding(
                "warning",
                f"{held[0].place.file} has {held[0].version}, and the newest tag is {prefix}{newest}.",
                "version-bump stops there, because it cannot know whether that version was released.",
                f"If it was: git tag -a {prefix}{held[0].version} <commit> && git push origin "
                f"{prefix}{held[0].version}. If not, write {newest} into the file.",
                file=held[0].place.file,
            )
    if facts.several or versions:
        return
    other = next((tag for tag in facts.survey.tags if re.search(r"\d+\.\d+\.\d+$", tag)), "")
    if other:
        start = re.sub(r"\d+\.\d+\.\d+$", "", other)
        yield finding(
            "warning",
            f"Tags such as {other} do not begin with `{prefix}`, so version-bump ignores them.",
            "Versions would start again from the first one.",
            f'Write `tag-prefix: "{start}"`, or `old-prefixes: ["{start}"]`, in {config}.',
            file=config,
        )


CHECK = DoctorCheck(
    name="version-files",
    looks_at="The files of `version.files`, whether they agree, and the prefix of existing tags",
    cure="Correct the file, or take it out of `version.files`.",
    check=check,
)
