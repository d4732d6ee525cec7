"""version-files: the files that hold the version exist, agree, and can be moved."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
        for item in version_files.disagreements(tuple(held), held[0].version) if held else ():
            yield finding(
                "error",
                item.message,
                "version-bump refuses to guess which one is right.",
                _agree(item.file, held[0].version),
                file=item.file,
            )
        yield from _tags(facts, settings, config, held)


def _agree(file: str, version: str) -> str:
    if file.endswith("Chart.yaml"):
        return (
            f"Write {version} there. To leave appVersion alone, list {{file: {file}, path: version}} instead "
            "of both."
        )
    return f"Write {version} in {file}."


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
            f"Tags such as {other} do not begin with `{prefix}`, so they count for nothing.",
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
