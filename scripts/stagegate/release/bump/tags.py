"""Which tags are versions of an app: a known prefix, then SemVer."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.settings import Settings
from stagegate.versions import Version


def versions(tags: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Version -> tag, for tags that are a known prefix and SemVer; the first prefix wins."""
    names: dict[str, str] = {}
    for prefix in _prefixes(settings):
        for tag in tags:
            if tag.startswith(prefix) and is_version(tag[len(prefix) :]):
                names.setdefault(tag[len(prefix) :], tag)
    return names


def foreign(tags: Mapping[str, str], settings: Settings) -> tuple[str, ...]:
    """Version tags with an unknown prefix, where the settings have the usual one and not one for each app."""
    if settings.version.tag_prefix not in ("", "v"):
        return ()
    known = _prefixes(settings)
    ends = ((tag, tag[max(tag.rfind(mark) for mark in "-_/@v") + 1 :]) for tag in tags)
    return tuple(tag for tag, end in ends if is_version(end) and tag.removesuffix(end) not in known)


def is_version(text: str) -> bool:
    """Whether a text is SemVer 2; most tags of a large repository fail at their first character."""
    return text[:1].isdigit() and Version.is_valid(text)


def _prefixes(settings: Settings) -> tuple[str, ...]:
    own = settings.version.tag_prefix
    twin = {"v": ("",), "": ("v",)}.get(own, ())
    return (own, *settings.version.old_prefixes, *twin)
