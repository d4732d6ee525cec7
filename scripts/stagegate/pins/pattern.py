"""A version in a file of any kind, named by the text around it: `{file, pattern: "ref=v{version}"}`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from stagegate.errors import Stop
from stagegate.pins import settings_line, templates, text_pattern
from stagegate.pins.place import PinFile, PinPlace, flavoured
from stagegate.settings import PinSettings, Settings

NAME = "pattern"


def read(pin: PinSettings, content: bytes, settings: Settings) -> PinFile:
    """The one place in the file that reads like the pattern. Stop(ambiguous-pin) when there is none, or several."""
    template = templates.expand(pin.pattern, settings)
    text = content.decode("utf-8", "surrogateescape")
    matches = text_pattern.matches(template, text)
    lines = [text.count("\n", 0, match.start()) + 1 for match in matches]
    if len(matches) != 1:
        raise _not_once(pin, content, lines, settings)
    (match,), (line,) = matches, lines
    if flavour := templates.swallowed(template, match[0]):
        whole = msgspec.structs.replace(pin, pattern=templates.with_flavour(template, flavour))
        works = len(text_pattern.matches(whole.pattern, text)) == 1
        cure = settings_line.written(whole) if works else ""
        raise flavoured(pin.file, match[0], template, flavour, cure, line)
    place = PinPlace(
        file=pin.file,
        document=0,
        path=(),
        line=line,
        role="custom",
        value=match[0],
        template=template,
        shape=NAME,
        span=match.span(),
    )
    return PinFile(file=pin.file, content=content, places=(place,))


def _not_once(pin: PinSettings, content: bytes, lines: Sequence[int], settings: Settings) -> Stop:
    """Stop(ambiguous-pin) for a pattern that matches nowhere or in several lines, with one that matches once."""
    line, cure = text_pattern.proposal(
        content, pin.file, settings, like=pin.pattern, line=lines[0] if lines else 0
    )
    what = f"{len(lines)} texts" if lines else "no text"
    where = f" The matches are in lines {', '.join(map(str, lines))}." if lines else ""
    if cure:
        then = f"If line {line} is the right one, write {cure}."
    elif lines:
        then = "Add more of the text around the version to the `pattern`."
    else:
        then = "No line of the file contains a version that a pattern could match. Correct the file name."
    return Stop(
        "ambiguous-pin",
        f"{pin.file} contains {what} that matches the pattern {pin.pattern!r}.",
        f"The pattern of a pin must match exactly once.{where}",
        then,
        file=pin.file,
        line=line if cure else (*lines, 1)[0],
    )


def replace(content: bytes, changes: Iterable[tuple[PinPlace, str]], file: str) -> bytes:
    """The file with the text of each place replaced. Stop(ambiguous-pin) where two places overlap."""
    text = content.decode("utf-8", "surrogateescape")
    edited_from = len(text)
    for place, after in sorted(changes, key=lambda change: change[0].span, reverse=True):
        start, end = place.span
        if end > edited_from:
            raise Stop(
                "ambiguous-pin",
                f"Two pins name the same text in {file}.",
                "An edit through one pin would change the text that the other pin matches.",
                "Delete one of the two pins.",
                file=file,
                line=place.line,
            )
        text, edited_from = text[:start] + after + text[end:], start
    return text.encode("utf-8", "surrogateescape")
