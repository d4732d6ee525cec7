"""A version in a TOML file, named by its keys: `{file: app.toml, path: services.0.image}`.

Only text on one line behind a key of its own is edited (https://toml.io/en/v1.0.0); inline tables and text of
several lines are refused, with a pattern that works.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import pattern, settings_line, templates, text_pattern
from stagegate.pins.place import PinFile, PinPlace, flavoured
from stagegate.settings import PinSettings, Settings

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\\\n]*"|'[^'\n]*')"""
_KEYS = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = re.compile(rf"[ \t]*(?P<open>\[\[?)[ \t]*(?P<keys>{_KEYS})[ \t]*\]\]?[ \t]*(?:#.*)?")
_PAIR = re.compile(rf"[ \t]*(?P<keys>{_KEYS})[ \t]*=[ \t]*(?P<rest>.*)")
_TEXT = re.compile(r"""(?:"(?P<basic>[^"\\]*)"|'(?P<literal>[^']*)')[ \t]*(?:#.*)?""")
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|#.*""")
_LONG = re.compile(r"\"\"\"|'''")

Steps = tuple[str, ...]


def read(pin: PinSettings, content: bytes, settings: Settings) -> PinFile:
    """The one text at the pin's path. Stop(ambiguous-pin) when there is none, or several."""
    template = templates.expand(pin.value, settings)
    text = content.decode("utf-8", "surrogateescape")
    wanted = tuple(map(str, yaml_edit.parse_path(pin.path)))
    matches = [(start, value) for steps, start, value in _texts(text) if steps == wanted]
    if len(matches) != 1:
        line, suggestion = text_pattern.proposal(content, pin.file, settings, like=pin.path)
        raise Stop(
            "ambiguous-pin",
            f"{pin.file} has {'no text' if not matches else f'{len(matches)} texts'} at the path {pin.path}.",
            "A path can only lead to text in quotes on one line, after a key of its own.",
            f"If the version is in line {line}, describe it by the text around it: {suggestion}."
            if suggestion
            else "No line of the file contains exactly one version that a `pattern` could match. "
            "Correct the path or the file name.",
            file=pin.file,
            line=line,
        )
    ((start, value),) = matches
    line = text.count("\n", 0, start) + 1
    if flavour := templates.swallowed(template, value):
        whole = msgspec.structs.replace(pin, value=templates.with_flavour(template, flavour))
        raise flavoured(pin.file, value, template, flavour, settings_line.written(whole), line)
    image = next((i for i in settings.images if i in template), "") if "{digest}" in template else ""
    place = PinPlace(
        file=pin.file,
        document=0,
        path=wanted,
        line=line,
        role="custom",
        value=value,
        template=template,
        shape=pattern.NAME,
        subject=image,
        moving=templates.match(template, value) is None,
        span=(start, start + len(value)),
    )
    return PinFile(file=pin.file, content=content, places=(place,))


def _texts(text: str) -> Iterator[tuple[Steps, int, str]]:
    """Keys, place and value of every text that stands on one line behind its key."""
    table: Steps = ()
    counts: Counter[Steps] = Counter()
    closing, depth, offset = "", 0, 0
    for line in text.splitlines(keepends=True):
        start, offset, body = offset, offset + len(line), line.rstrip("\r\n")
        if closing:  # inside text of several lines
            closing = "" if closing in body else closing
            continue
        if depth > 0:  # inside a list of several lines
            depth += _depth(body)
            continue
        if header := _HEADER.fullmatch(body):
            table = _below(_steps(header["keys"]), counts)
            if header["open"] == "[[":
                counts[table] += 1
                table = (*table, str(counts[table] - 1))
            continue
        pair = _PAIR.fullmatch(body)
        if pair is None:
            continue
        if long := _LONG.match(pair["rest"]):
            closing = "" if long[0] in pair["rest"][3:] else long[0]
        elif quoted := _TEXT.fullmatch(pair["rest"]):
            value = quoted["basic"] if quoted["basic"] is not None else quoted["literal"]
            yield (*table, *_steps(pair["keys"])), start + pair.start("rest") + 1, value
        else:
            depth = max(_depth(pair["rest"]), 0)


def _steps(keys: str) -> Steps:
    return tuple(key.strip("\"'") for key in re.findall(_KEY, keys))


def _below(steps: Steps, counts: Counter[Steps]) -> Steps:
    """The steps with the number of the last element behind every list of tables on the way."""
    place: Steps = ()
    for number, step in enumerate(steps, 1):
        place = (*place, step)
        if number < len(steps) and counts[place]:
            place = (*place, str(counts[place] - 1))
    return place


def _depth(body: str) -> int:
    bare = _QUOTED.sub("", body)
    return bare.count("[") - bare.count("]")
