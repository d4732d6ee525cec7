"""The apps of a pins repository: every settings file that a path or glob names on the default branch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from stagegate import settings as settings_file
from stagegate.errors import Stop
from stagegate.runner.context import Context
from stagegate.settings import Settings

if TYPE_CHECKING:  # the work tree's settings are read without any HTTP library
    from stagegate.clients import hub


class App(msgspec.Struct, frozen=True, kw_only=True):
    """An app's settings as the default branch has them, and the path of their file."""

    config: str
    settings: Settings


def read(pins: hub.Hub, pattern: str, context: Context | None = None) -> tuple[App, ...]:
    """Every app, in the order of their files. Stop(missing-file) when there is none, Stop(bad-settings).

    `context`: the settings of its work tree say where pins probably are, which saves a request.
    """
    from stagegate.promotion import shared_policy  # with the HTTP library, like `pins`

    read_ahead(pins, pattern, context)
    branch = pins.default_branch()
    head = pins.head(branch) or branch  # what else is read at this commit needs no second request
    paths = matching(pins.paths(head), pattern) if is_glob(pattern) else (pattern,)
    blobs = pins.files(head, paths) if paths else {}
    read = tuple(
        App(config=path, settings=shared_policy.settings_of(pins, head, blob.content, path)[0])
        for path, blob in blobs.items()
        if blob is not None
    )
    if not read:
        raise Stop(
            "missing-file",
            f"{pins.repository} has no {pattern} on {branch}.",
            "Policy is only read from the default branch.",
            "Merge the settings first, or name the right file with `config`.",
        )
    return read


def read_ahead(pins: hub.Hub, pattern: str, context: Context | None = None) -> None:
    """The first query of a run, with the settings that the path names and the pins of those in the work tree."""
    from stagegate.marks import marks
    from stagegate.pins import pinned_version

    probable: list[tuple[str, ...]] = [() if is_glob(pattern) else (pattern,)]
    if context is not None:
        probable += [
            pinned_version.likely_files(app.config, app.settings) for app in _local(context, pattern)
        ]
    pins.open([path for paths in probable for path in paths], marks.PREFIX, marks.FILE)


def _local(context: Context, pattern: str) -> tuple[App, ...]:
    """The apps of the work tree; none where they cannot be read, because they only say where files may be."""
    try:
        return here(context, pattern)
    except Stop:
        return ()


def here(context: Context, pattern: str) -> tuple[App, ...]:
    """The apps of the work tree, in the order of their files. Stop(missing-file) when there is none."""
    if is_glob(pattern):
        paths = [path.relative_to(context.workspace).as_posix() for path in context.workspace.glob(pattern)]
    else:
        paths = [pattern]
    in_work_tree = tuple(
        App(config=path, settings=settings_file.load(context.inside(path, what="config"), path))
        for path in sorted(paths)
    )
    if not in_work_tree:
        raise Stop(
            "missing-file",
            f"No file in the work tree matches {pattern}.",
            "`config` names the settings files of all apps.",
            "Check out the repository first, or correct `config`.",
        )
    return in_work_tree


def choose(apps: Sequence[App], name: str) -> App:
    """The app of that name, or the only one when no name is given. Stop(bad-input)."""
    names = [app.settings.app for app in apps]
    if not name and len(apps) == 1:
        return apps[0]
    if not name:
        raise Stop(
            "bad-input",
            "No app is named.",
            f"This repository has {len(apps)}: {', '.join(names)}.",
            f"Write it before the environment, as in {names[0]}/prod.",
        )
    for app in apps:
        if app.settings.app == name:
            return app
    import difflib  # only for the message

    near = difflib.get_close_matches(name, names, 1)
    raise Stop(
        "bad-input",
        f"There is no app {name!r}.",
        f"The settings name: {', '.join(names)}.",
        f"Did you mean {near[0]}?" if near else "Use one of these names.",
    )


def having(apps: Sequence[App], environment: str) -> tuple[App, ...]:
    """The apps that have this environment (`all` or empty: every one), never none. Stop(bad-input)."""
    if environment in ("", "all"):
        return tuple(apps)
    selected = tuple(
        app for app in apps if environment in {place.name for place in app.settings.environments}
    )
    if not selected:
        apps[0].settings.environment(environment)
    return selected


def is_glob(pattern: str) -> bool:
    """Whether a path stands for several."""
    return "*" in pattern or "?" in pattern


def matching(paths: Iterable[str], pattern: str) -> tuple[str, ...]:
    """Paths that a glob means: `*` and `?` stay within one folder, `**` does not."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    table = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = re.compile("".join(table.get(part, re.escape(part)) for part in parts))
    return tuple(path for path in paths if expression.fullmatch(path))
