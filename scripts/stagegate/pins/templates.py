"""How a place writes a release: `{version}`, `{tag}`, `{commit}` and `{digest}` with any text around them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stagegate.settings import Settings

_SEMVER = (
    r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
    r"(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?"
    r"(?:[+_][0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"  # a registry writes the + of build metadata as _
)
_NAMED = {
    "version": f"(?P<version>{_SEMVER})",
    "commit": "(?P<commit>[0-9a-f]{40})",
    "digest": "(?P<digest>sha256:[0-9a-f]{64})",
}
_HOLE = re.compile(r"\{(version|commit|digest)\}")
_RANGE = re.compile(r"[*^~<>|=, ]|(?:^|\.)[xX](?:\.|$)|^v?\d+(?:\.\d+)?$|^$")

_IMAGE_TAGS = ("v{version}", "{version}", "{tag}", "sha-{commit}", "{commit}")
_GUESSES: Mapping[str, tuple[str, ...]] = {
    "chart-version": ("{version}", "v{version}"),
    "chart-digest": ("{digest}",),
    "image-tag": (*_IMAGE_TAGS, *(f"{tag}@{{digest}}" for tag in _IMAGE_TAGS)),
    "image-digest": ("{digest}",),
    "git-revision": ("{tag}", "refs/tags/{tag}", "{commit}"),
}


def expand(template: str, settings: Settings) -> str:
    """The template with `{tag}` written as what tags are here, `v{version}`."""
    return template.replace("{tag}", settings.version.tag_prefix + "{version}")


def guess(value: str, role: str, settings: Settings) -> str:
    """The template that a value follows, or nothing when it names no exact release."""
    options = (expand(template, settings) for template in _GUESSES[role])
    return next((template for template in options if match(template, value) is not None), "")


def match(template: str, value: str) -> dict[str, str] | None:
    """What a value says through its template, or None when it is not written like that."""
    parts: list[str] = []
    seen: set[str] = set()
    for index, part in enumerate(_HOLE.split(template)):
        if index % 2 == 0:
            parts.append(re.escape(part))
        else:
            parts.append(f"(?P={part})" if part in seen else _NAMED[part])
            seen.add(part)
    found = re.fullmatch("".join(parts), value) if seen else None
    if found is None:
        return None
    return {
        name: text.replace("_", "+") if name == "version" else text
        for name, text in found.groupdict().items()
    }


def fill(template: str, known: Mapping[str, str]) -> str:
    """The value for a release; KeyError names what the release does not have."""
    return _HOLE.sub(lambda hole: known[hole[1]], template)


def is_range(value: str) -> bool:
    """Whether Argo CD resolves a revision by itself: `*`, `1.x`, `1.10`, `>=1.2`, `~1.2`."""
    return _RANGE.search(value) is not None
