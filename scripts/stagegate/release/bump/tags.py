"""Finds the tags that are versions of an app: a prefix from the settings, then SemVer."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.patterns import pattern
from stagegate.settings import Settings
from stagegate.versions import Version

# Where a version may begin in a tag, whether or not a mark is before it: shop@1.0.0, release1.0.0, V1.0.0.
_NUMBERS = pattern(r"(?<![\d.])\d+\.\d+\.\d+")


def versions(tags: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Version -> tag, for tags with a prefix of the settings and SemVer. The first prefix wins."""
    names: dict[str, str] = {}
    for prefix in _prefixes(settings):
        for tag in tags:
            if tag.startswith(prefix) and is_version(tag[len(prefix) :]):
                names.setdefault(tag[len(prefix) :], tag)
    return names


def foreign(tags: Mapping[str, str], settings: Settings) -> tuple[str, ...]:
    """Version tags with another prefix. None where the settings have a special prefix, as in a monorepo."""
    if settings.version.tag_prefix not in ("", "v"):
        return ()
    prefixes = _prefixes(settings)
    return tuple(tag for tag in tags if not _has(tag, prefixes) and _ends_with_version(tag))


def _has(tag: str, prefixes: tuple[str, ...]) -> bool:
    return any(tag.startswith(prefix) and is_version(tag[len(prefix) :]) for prefix in prefixes)


def _ends_with_version(tag: str) -> bool:
    return any(is_version(tag[number.start() :]) for number in _NUMBERS.finditer(tag))


def is_version(text: str) -> bool:
    """Whether a text is SemVer 2; the first character already rules out most tags of a large repository."""
    return text[:1].isdigit() and Version.is_valid(text)


def _prefixes(settings: Settings) -> tuple[str, ...]:
    prefix = settings.version.tag_prefix
    usual = {"v": ("",), "": ("v",)}.get(prefix, ())
    return (prefix, *settings.version.old_prefixes, *usual)
