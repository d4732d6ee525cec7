"""The apps of a pins repository: every settings file that a path or glob names on the default branch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from stagegate import inside
from stagegate import settings as settings_file
from stagegate.errors import Stop
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.settings import Settings, locations

if TYPE_CHECKING:  # the work tree's settings are read without any HTTP library
    from stagegate.clients import hub


I = TypeVar("I", bound=Inputs)  # noqa: E741


class App(msgspec.Struct, frozen=True, kw_only=True):
    """An app's settings as the default branch has them, and the path of their file."""

    config: str
    settings: Settings


def read(pins: hub.Hub, pattern: str, context: Context | None = None) -> tuple[App, ...]:
    """Every app, in the order of their files. Stop(missing-file) when there is none, Stop(bad-settings).

    Where the root has no file of the default name, the files that `locations.find` finds count.
    `context`: the settings of its work tree say where pins probably are, which saves a request.
    """
    from stagegate.promotion import shared_policy  # with the HTTP library, like `pins`

    read_ahead(pins, pattern, context)
    branch = pins.default_branch()
    head = pins.head(branch) or branch  # what else is read at this commit needs no second request
    paths = matching(pins.paths(head), pattern) if is_glob(pattern) else (pattern,)
    blobs = pins.files(head, paths) if paths else {}
    if pattern == locations.FILE and blobs.get(pattern) is None:
        paths = locations.find(pins.paths(head))
        blobs = pins.files(head, paths) if paths else {}
    read = tuple(
        App(config=path, settings=shared_policy.settings_of(pins, head, blob.content, path)[0])
        for path, blob in blobs.items()
        if blob is not None
    )
    if not read:
        raise Stop(
            "missing-file",
            f"{pins.repository} has no {_meant(pattern)} on {branch}.",
            "stagegate reads the settings only from the default branch.",
            "Merge the settings first, or name the right file with `config`.",
        )
    return read


def read_ahead(pins: hub.Hub, pattern: str, context: Context | None = None) -> None:
    """The first query of a run, with the settings that the path names and the pins of those in the work tree."""
    from stagegate.marks import marks
    from stagegate.pins import pinned_version, probable

    paths = dict.fromkeys(() if is_glob(pattern) else (pattern,))
    values: tuple[str, ...] = ()
    if context is not None:
        for app in _local(context, pattern):
            paths |= dict.fromkeys(pinned_version.likely_files(app.config, app.settings))
        values = probable.values(tuple(paths), context.workspace)
    pins.open((*paths, *values), marks.PREFIX, marks.FILE)


def _local(context: Context, pattern: str) -> tuple[App, ...]:
    """The apps of the work tree; none where they cannot be read, because they only say where files may be."""
    try:
        return here(context, pattern)
    except Stop:
        return ()


def here(context: Context, pattern: str) -> tuple[App, ...]:
    """The apps of the work tree, in the order of their files. Stop(missing-file) when there is none."""
    if is_glob(pattern):
        paths = [
            path.relative_to(context.workspace).as_posix()
            for path in inside.matching(context.workspace, pattern)
        ]
    elif pattern == locations.FILE:
        paths = list(locations.in_work_tree(context.workspace))
    else:
        paths = [pattern]
    in_work_tree = tuple(
        App(config=path, settings=settings_file.load(context.inside(path, what="config"), path))
        for path in sorted(paths)
    )
    if not in_work_tree:
        raise Stop(
            "missing-file",
            f"The work tree has no {_meant(pattern)}.",
            "`config` names the settings files of all apps.",
            "Check out the repository first, or correct `config`.",
        )
    return in_work_tree


def of_one(inputs: I, context: Context) -> I:
    """The inputs of an action that is about one app, with `config` as the path of its file in the work tree.

    Stop(bad-input) where the work tree has several and none is named.
    """
    files = locations.in_work_tree(context.workspace) if inputs.config == locations.FILE else ()
    if len(files) > 1:
        raise Stop(
            "bad-input",
            f"The work tree has several settings files: {', '.join(files)}.",
            "The action works on one app at a time.",
            f"Set `config` to the path of the app's settings file, such as {files[0]}.",
        )
    return msgspec.structs.replace(inputs, config=files[0]) if files else inputs


def load_one(inputs: I, context: Context) -> tuple[I, Settings]:
    """The inputs of an action that is about one app, as `of_one` gives them, with the app's settings."""
    inputs = of_one(inputs, context)
    return inputs, settings_file.load(context.inside(inputs.config, what="config"), inputs.config)


def are_several(listed: Sequence[App], config: str) -> bool:
    """Whether `config` stands for several apps, also where only one is there so far: a path names its own app."""
    return any(app.config != config for app in listed)


def choose(apps: Sequence[App], name: str) -> App:
    """The app of that name, or the only one when no name is given. Stop(bad-input)."""
    names = [app.settings.app for app in apps]
    if not name and len(apps) == 1:
        return apps[0]
    if not name:
        raise Stop(
            "bad-input",
            "The command names no app.",
            f"This repository has {len(apps)} apps: {', '.join(names)}.",
            f"Write the app before the environment, as in {names[0]}/prod.",
        )
    for app in apps:
        if app.settings.app == name:
            return app
    import difflib  # only for the message

    near = difflib.get_close_matches(name, names, 1)
    raise Stop(
        "bad-input",
        f"The settings contain no app {name!r}.",
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


def _meant(pattern: str) -> str:
    """A path or glob for a message; for the default name every place that is searched."""
    return " or ".join((pattern, *locations.PATTERNS)) if pattern == locations.FILE else pattern


def is_glob(pattern: str) -> bool:
    """Whether a path is a pattern for several files."""
    return "*" in pattern or "?" in pattern


def matching(paths: Iterable[str], pattern: str) -> tuple[str, ...]:
    """Paths that a glob means: `*` and `?` stay within one folder, `**` does not."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    table = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = re.compile("".join(table.get(part, re.escape(part)) for part in parts))
    return tuple(path for path in paths if expression.fullmatch(path))
