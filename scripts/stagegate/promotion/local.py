"""`--local`: edits the pins in the work tree and shows what changed. No GitHub, no registry, nothing committed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec

from stagegate import markdown
from stagegate.clients import git
from stagegate.errors import Stop
from stagegate.model import Change, Edit, Message, Release, Result, parse_version
from stagegate.pins import files as pin_files
from stagegate.pins import picture, pinned_version
from stagegate.promotion import chart_elsewhere
from stagegate.promotion.result import OUTPUTS
from stagegate.report.times import counted
from stagegate.runner import log
from stagegate.runner.context import Context
from stagegate.settings import Settings

SHOWN = 10  # lines that are listed one by one
_COLOURS = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}


def edit(
    settings: Settings,
    context: Context,
    environment: str,
    version: str,
    *,
    config: str = "stagegate.yaml",
    dry_run: bool = False,
    check: bool = False,
) -> Result:
    """Move the pins of an environment to a version, in files only; with `check` only compare.

    Commits come from the release's tag in this clone; digests are not known here. Stop(bad-input) without
    environment or version, Stop(ambiguous-pin) for a pin that needs what is not known.
    """
    if not version or not environment:
        raise Stop(
            "bad-input",
            f"Input missing: {'version' if environment else 'environment'}.",
            "With `local`, stagegate only edits the pins, and does not choose an environment or a version.",
            "Set `environment` and `version`.",
        )
    parse_version(version, source="version")
    settings = at_home(settings, context)
    listed = git.files(context.workspace)
    settings = with_files(settings, context, listed, config)
    policy = settings.environment(environment)
    paths = set(pinned_version.files_of(policy))
    places = {path: context.inside(path, what="pins") for path in sorted(paths)}
    files = {path: place.read_bytes() if place.is_file() else None for path, place in places.items()}
    for file in pin_files.of([policy]):
        if files[file] is None:
            raise _missing(file, environment, listed)
    settings = chart_elsewhere.inferred(settings, files)
    for chart in pinned_version.charts_beside(paths, settings):
        beside = context.inside(chart, what="pins")
        files[chart] = beside.read_bytes() if beside.is_file() else None
    tag = settings.version.tag_prefix + version
    commit = git.output(context.workspace, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    release = Release(app=settings.app, version=version, tag=tag, commit=commit, recorded=False)
    changed, edits = pinned_version.edited(policy, files, release, settings, "")
    difference = picture.of_files(files, changed)
    log.say(_coloured(difference) if difference else "No pin changes.")
    for line in _also(edits):
        log.say(line)
    if check:
        return _checked(settings, environment, version, difference, edits)
    if not dry_run:
        for path, content in changed.items():
            places[path].write_bytes(content)
    reason, what, then = ("no-difference", f"{environment} is already pinned to {version}.", "")
    if changed and dry_run:
        reason, what = ("planned", f"{environment} would be pinned to {version} in the work tree.")
    elif changed:
        reason, what = ("updated", f"{environment} is pinned to {version} in the work tree.")
        then = "Review the change and commit it. No rule was checked."
    return _result(
        settings,
        environment,
        version,
        reason,
        Message(what=what, next=then),
        difference,
        edits,
        dry_run=dry_run,
    )


def _missing(file: str, environment: str, listed: list[str]) -> Stop:
    return Stop(
        "missing-file",
        f"There is no file {file}.",
        f"The settings name {file} as a pin of {environment}.",
        f"Correct `pins`, or add the file.{pin_files.closest(file, listed)}",
        file=file,
    )


def _checked(
    settings: Settings, environment: str, version: str, difference: str, edits: tuple[Edit, ...]
) -> Result:
    if not edits:
        message = Message(what=f"{environment} is pinned to {version}.")
        return _result(settings, environment, version, "verified", message, "", (), dry_run=True)
    message = Message(
        what=f"{environment} is not pinned to {version}.",
        why=f"{counted(len(edits), 'value differs', 'values differ')}.",
        next="Run the same command without --check to change the pins.",
    )
    return _result(settings, environment, version, "findings", message, difference, edits, dry_run=True)


def _result(
    settings: Settings,
    environment: str,
    version: str,
    reason: str,
    message: Message,
    difference: str,
    edits: tuple[Edit, ...],
    *,
    dry_run: bool,
) -> Result:
    return Result(
        reason=reason,
        message=message,
        outputs=dict.fromkeys(OUTPUTS, "")
        | {"changed": str(bool(edits)).lower(), "environment": environment, "version": version},
        summary=f"{markdown.fence(difference, 'diff')}\n" if difference else "",
        app=settings.app,
        environment=environment,
        version=version,
        dry_run=dry_run,
        changes=tuple(
            Change(kind="pin", target=f"{e.file}:{e.line}", before=e.before, after=e.after, done=not dry_run)
            for e in edits
        ),
    )


def _also(edits: tuple[Edit, ...]) -> list[str]:
    """Sentences about lines that still contain the previous version."""
    return [
        f"{edit.before} also occurs in {edit.file}, {_lines(edit.also)}, but this place is not a "
        "pin of the app, so it was not changed."
        for edit in edits
        if edit.also
    ]


def _lines(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, numbers[:SHOWN]))
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return f"lines {shown}{more}"


def at_home(settings: Settings, context: Context) -> Settings:
    """The settings with the repository of this clone as `source`, where they name none."""
    if settings.source or settings.policy:
        return settings
    source = context.repository or git.origin(context.workspace)
    return msgspec.structs.replace(settings, source=source) if source else settings


def with_files(settings: Settings, context: Context, listed: Sequence[str], config: str) -> Settings:
    """The settings with the files of this clone for every glob. Stop(bad-settings) with the line of `config`."""
    place = context.inside(config, what="config")
    return pin_files.expanded(settings, listed, config, place.read_bytes() if place.is_file() else b"")


def _coloured(difference: str) -> str:
    """The difference in colours where a person looks at a terminal."""
    if not sys.stdout.isatty():
        return difference
    return "".join(
        f"{colour}{line.rstrip()}\033[0m\n" if (colour := _COLOURS.get(line[:1], "")) else line
        for line in difference.splitlines(keepends=True)
    )
