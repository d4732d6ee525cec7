"""Reads settings files that existed before init: the names of their apps, and their missing lines. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from stagegate.setup.apps import DetectedApp
from stagegate.setup.survey import Survey

# A file with one of these keys defines its pins, so it is complete.
_COMPLETE = frozenset({"environments", "policy", "extends"})
_BLOCK = re.compile(r"^(?=[a-z][a-z-]*:)", re.MULTILINE)


def named(apps: Sequence[DetectedApp], survey: Survey) -> tuple[DetectedApp, ...]:
    """The apps with the names in existing settings.

    A file belongs to the app with one of its images, else to the app in its folder, else to the only app.
    """
    unassigned = list(apps)
    names: dict[str, str] = {app.name: app.name for app in apps}
    for name, file in survey.settings.items():
        if name in names:
            continue
        images = set(map(str, _content(survey, file).get("images") or ()))
        folder = posixpath.dirname(file)
        unnamed = [app for app in unassigned if app.name not in survey.settings]
        owners = [app for app in unnamed if images & set(app.images)]
        owners = owners or [app for app in unnamed if app.folder and app.folder == folder]
        owners = owners or (unnamed if len(apps) == 1 else [])
        if len(owners) == 1:
            names[owners[0].name] = name
            unassigned.remove(owners[0])
    return tuple(msgspec.structs.replace(app, name=names[app.name]) for app in apps)


def missing(file: str, proposed: str, survey: Survey) -> str:
    """The proposed lines that a settings file without environments lacks; nothing if it is complete."""
    content = _content(survey, file)
    if not content or _COMPLETE & set(content):
        return ""
    blocks = _BLOCK.split(proposed)[1:]
    return "".join(block for block in blocks if block.partition(":")[0] not in content)


def _content(survey: Survey, file: str) -> Mapping[str, Any]:
    return next((document.content for document in survey.documents if document.file == file), {})
