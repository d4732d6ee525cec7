"""Finds the tags that are versions of an app: a prefix from the settings, then SemVer."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.settings import Settings
from stagegate.versions import Version


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
    ends = ((tag, tag[max(tag.rfind(mark) for mark in "-_/@v") + 1 :]) for tag in tags)
    return tuple(tag for tag, end in ends if is_version(end) and tag.removesuffix(end) not in prefixes)


def is_version(text: str) -> bool:
    """Whether a text is SemVer 2; the first character already rules out most tags of a large repository."""
    return text[:1].isdigit() and Version.is_valid(text)


def _prefixes(settings: Settings) -> tuple[str, ...]:
    prefix = settings.version.tag_prefix
    usual = {"v": ("",), "": ("v",)}.get(prefix, ())
    return (prefix, *settings.version.old_prefixes, *usual)
