"""Settings files that a person began before init: what they name their app, and what they still lack. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from stagegate.setup.apps import FoundApp
from stagegate.setup.survey import Survey

# A file with one of these says where its pins are; a person has finished it, and nothing is added.
_COMPLETE = frozenset({"environments", "policy", "extends"})
_BLOCK = re.compile(r"^(?=[a-z][a-z-]*:)", re.MULTILINE)


def named(apps: Sequence[FoundApp], survey: Survey) -> tuple[FoundApp, ...]:
    """The apps under the names that existing settings give them.

    A file belongs to the app with one of its images, else to the app in its folder, else to the only app.
    """
    left = list(apps)
    names: dict[str, str] = {app.name: app.name for app in apps}
    for name, file in survey.settings.items():
        if name in names:
            continue
        images = set(map(str, _content(survey, file).get("images") or ()))
        folder = posixpath.dirname(file)
        unnamed = [app for app in left if app.name not in survey.settings]
        owners = [app for app in unnamed if images & set(app.images)]
        owners = owners or [app for app in unnamed if app.folder and app.folder == folder]
        owners = owners or (unnamed if len(apps) == 1 else [])
        if len(owners) == 1:
            names[owners[0].name] = name
            left.remove(owners[0])
    return tuple(msgspec.structs.replace(app, name=names[app.name]) for app in apps)


def missing(file: str, proposed: str, survey: Survey) -> str:
    """The lines of the proposed settings that a file without environments still lacks; nothing if it has them."""
    content = _content(survey, file)
    if not content or _COMPLETE & set(content):
        return ""
    blocks = _BLOCK.split(proposed)[1:]
    return "".join(block for block in blocks if block.partition(":")[0] not in content)


def _content(survey: Survey, file: str) -> Mapping[str, Any]:
    return next((one.content for one in survey.documents if one.file == file), {})
