"""Writes the version files, the changelog and the notes of a release, in memory."""

from __future__ import annotations

from stagegate.release import changelog, version_files
from stagegate.release.bump import changes
from stagegate.release.bump.changes import Changes
from stagegate.release.bump.plan_facts import BumpFacts
from stagegate.settings import Settings

NOTES_LIMIT = 60_000  # GitHub refuses longer texts of tags and releases
_NO_NOTES = "No changes that users would notice."


def written(
    settings: Settings, facts: BumpFacts, counted: Changes, version: str
) -> tuple[str, dict[str, bytes]]:
    """The notes, and the new bytes of every file that changes."""
    files: dict[str, bytes] = {}
    for place in settings.version.places:
        content = files.get(place.file) or facts.contents.get(place.file) or b""
        files[place.file] = version_files.write(place, content, version)
    log = settings.version.changelog
    text = changelog.text(facts.contents.get(log) or b"") if log else ""
    notes = changelog.notes(counted.readings, changelog.unreleased(text)) or _NO_NOTES
    if log:
        files[log] = changelog.data(changelog.add(text, version, facts.today, notes))
    return bounded(notes), {name: data for name, data in files.items() if data != facts.contents.get(name)}


def section_notes(settings: Settings, facts: BumpFacts, version: str) -> str:
    """The notes of an earlier attempt, from the changelog at its release commit."""
    text = changelog.text(facts.contents.get(settings.version.changelog) or b"")
    section = changelog.section(text, version) or changelog.notes(changes.read(facts.commits).readings)
    return bounded(section)


def bounded(notes: str) -> str:
    """The notes, shortened to the length that GitHub accepts in a tag."""
    readable = notes.encode("utf-8", "replace").decode()
    if len(readable) <= NOTES_LIMIT:
        return readable
    from stagegate import markdown  # only for notes that are too long

    return markdown.shorten(
        readable, NOTES_LIMIT, "The notes are too long for a tag. They are in the changelog."
    )
