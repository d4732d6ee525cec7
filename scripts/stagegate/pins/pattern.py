"""A version in a file of any kind, named by the text around it: `{file, pattern: "ref=v{version}"}`."""

from __future__ import annotations

from collections.abc import Iterable

from stagegate.errors import Stop
from stagegate.pins import templates
from stagegate.pins.place import PinFile, PinPlace, ShapeContext
from stagegate.settings import PinSettings, Settings

NAME = "pattern"


def read(pin: PinSettings, content: bytes, settings: Settings) -> PinFile:
    """The one place in the file that reads like the pattern. Stop(ambiguous-pin) when there is none, or several."""
    template = templates.expand(pin.pattern, settings)
    text = content.decode("utf-8", "surrogateescape")
    matches = list(templates.pattern(template).finditer(text))
    if len(matches) != 1:
        lines = [text.count("\n", 0, match.start()) + 1 for match in matches]
        raise Stop(
            "ambiguous-pin",
            f"{pin.file} has {'no text' if not matches else f'{len(matches)} texts'} like {pin.pattern!r}.",
            f"They stand in lines {', '.join(map(str, lines))}."
            if matches
            else "A pattern must match exactly once.",
            "Write more of the text around the version into the pattern."
            if matches
            else "Correct the pattern.",
            file=pin.file,
            line=lines[0] if lines else 1,
        )
    (match,) = matches
    line = text.count("\n", 0, match.start()) + 1
    if flavour := templates.swallowed(template, match[0]):
        raise ShapeContext(file=pin.file, settings=settings).flavoured(match[0], template, flavour, line)
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


def replace(content: bytes, changes: Iterable[tuple[PinPlace, str]], file: str) -> bytes:
    """The file with the text of each place replaced. Stop(ambiguous-pin) where two places overlap."""
    text = content.decode("utf-8", "surrogateescape")
    edited_from = len(text)
    for place, after in sorted(changes, key=lambda change: change[0].span, reverse=True):
        start, end = place.span
        if end > edited_from:
            raise Stop(
                "ambiguous-pin",
                f"Two pins of {file} name the same text.",
                "An edit of one would change what the other one matches.",
                "Leave one of them out.",
                file=file,
                line=place.line,
            )
        text, edited_from = text[:start] + after + text[end:], start
    return text.encode("utf-8", "surrogateescape")
