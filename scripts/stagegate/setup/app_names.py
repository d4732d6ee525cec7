"""Names of apps, from the names of images, charts, Applications and folders. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from stagegate.setup import environments


def slug(text: str) -> str:
    """A text as the name of an app."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:63].strip("-") or "app"


def last(name: str) -> str:
    """The last part of the address of an image or chart."""
    return name.rstrip("/").rpartition("/")[2]


def common(names: Sequence[str], repository: str) -> str:
    """The name of an app with several images: the shortest that all begin with, else that of the repository."""
    lasts = [last(name) for name in names]
    shortest = min(lasts, key=len)
    if all(belongs(name, shortest) for name in lasts):
        return slug(shortest)
    return slug(repository or shortest)


def without_environment(application: str) -> str:
    """The name of an Application without its environment."""
    words = [word for word in re.split(r"[-_.]", application) if not environments.of_name(word)]
    return "-".join(words)


def belongs(name: str, app: str) -> bool:
    """Whether an image or chart has the name of an app, or begins with it."""
    return name == app or name.startswith((f"{app}-", f"{app}_"))


def unit(file: str, image: str) -> str:
    """The folder of a file, without the parts that name environments."""
    parts = [part for part in PurePosixPath(file).parts[:-1] if not environments.of_name(part, (image,))]
    return "/".join(parts)
