"""Text around a version that occurs exactly once in a file: matched, and proposed for the settings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from stagegate.pins import settings_line, templates
from stagegate.settings import PinSettings, Settings

_VERSION = re.compile(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.]*\d)(?:-(?:rc|alpha|beta)[.\d]*)?")
_IN_COMMENT = re.compile(r"(?:^|\s)(?:#|//)")
_TRIED = 200  # lines in which a pattern is looked for
_LONGEST = 120  # characters of a pattern's line that people read in a message
_ABOVE = 4  # lines above that may tell two equal lines apart


def matches(template: str, text: str) -> list[re.Match[str]]:
    """Every part of the text that reads like the template."""
    return list(templates.pattern(template).finditer(text))


def proposal(
    content: bytes, file: str, settings: Settings, *, line: int = 0, like: str = ""
) -> tuple[int, str]:
    """A line of the file and the settings line that pins the version in it; line 1 and nothing where none does.

    `line` asks for this line only, counted from 1. Otherwise lines come first that resemble `like`, a pattern or a
    path, or that name the app or one of its images. A pattern is printed only if it matches exactly once.
    """
    try:
        text = content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return 1, ""
    lines = [f"{one}\n" for one in text.split("\n")]
    numbers = [line - 1] if line else [n for n, one in enumerate(lines) if _VERSION.search(one)][:_TRIED]
    for number in numbers if line else _ordered(numbers, lines, like, settings):
        for template in _templates(lines, number):
            match = matches(template, text)
            if len(match) == 1 and not templates.swallowed(template, match[0][0]):
                return number + 1, settings_line.written(PinSettings(file=file, pattern=template))
    return 1, ""


def _ordered(numbers: Sequence[int], lines: Sequence[str], like: str, settings: Settings) -> list[int]:
    words = (settings.app, *(image.rpartition("/")[2] for image in settings.images))

    def distance(number: int) -> tuple[float, bool]:
        near = (
            difflib.SequenceMatcher(None, like, lines[number].strip(), autojunk=False).ratio() if like else 0
        )
        return -near, not any(word in lines[number] for word in words)

    return sorted(numbers, key=distance)


def _templates(lines: Sequence[str], number: int) -> Iterator[str]:
    """The line with its version as a hole, alone and below the lines above it that contain no version."""
    if number >= len(lines):
        return
    line = lines[number].rstrip("\r\n")
    versions = list(_VERSION.finditer(line))
    if len(versions) != 1 or _IN_COMMENT.search(line[: versions[0].start()]):
        return
    template = f"{line[: versions[0].start()]}{{version}}{line[versions[0].end() :]}"
    if len(template.strip()) > _LONGEST or "{version}" in line:
        return
    without_comment = re.sub(r"\s+#.*$", "", template)
    if "{version}" in without_comment:
        yield without_comment.strip()
    yield template.strip()
    above = ""
    for one in reversed(lines[max(number - _ABOVE, 0) : number]):
        if _VERSION.search(one) or len(one) > _LONGEST:
            return
        above = one + above
        yield (above + template).strip()
