"""`rollback --local`: the release to go back to from the clone alone, for when GitHub cannot be reached."""

from __future__ import annotations

from datetime import datetime

from stagegate import versions
from stagegate.clients import git
from stagegate.errors import Stop
from stagegate.marks import marks
from stagegate.model import Result, branch_names
from stagegate.pins import pinned_version
from stagegate.promotion import local
from stagegate.runner import log
from stagegate.runner.context import Context
from stagegate.settings import Settings

_COMMITS = 500  # of the pins' history that are looked through
_WHERE = ("refs/heads", "refs/remotes/*")


def edit(
    settings: Settings,
    context: Context,
    environment: str,
    version: str,
    now: datetime,
    *,
    config: str,
    dry_run: bool,
) -> Result:
    """Move the pins of an environment back, in files only: to `version`, or to the last older one that they named.

    Nothing is known of evidence here. Stop(bad-input) for a newer version, Stop(no-evidence) where the clone names
    no older one that is not banned.
    """
    local_settings = local.at_home(settings, context)
    local_settings = local.with_files(local_settings, context, git.files(context.workspace), config)
    running = _pinned(local_settings, context, environment, "")
    if version and running and not versions.is_older(version, running):
        raise Stop(
            "bad-input",
            f"{version} is not earlier than {running}, which {environment} runs.",
            "A rollback goes to an earlier version.",
            "Use `stagegate promote --local` for a newer version.",
        )
    target = version or _target(local_settings, context, environment, running, now)
    if not version:
        log.say(
            f"According to the history of this clone, {target} is the release that the pins of {environment} named "
            f"before {running}. No evidence was read."
        )
    return local.edit(settings, context, environment, target, config=config, dry_run=dry_run)


def _target(settings: Settings, context: Context, environment: str, running: str, now: datetime) -> str:
    """The newest older version in the history of the pins' files that no ban of this clone names."""
    files = pinned_version.files_of(settings.environment(environment))
    listed = git.output(
        context.workspace, "log", "--format=%H", f"--max-count={_COMMITS}", "HEAD", "--", *files
    )
    banned = _banned(settings, context, now)
    for commit in listed.split():
        version = _pinned(settings, context, environment, commit)
        if version and versions.is_older(version, running) and version not in banned:
            return version
    shallow = git.output(context.workspace, "rev-parse", "--is-shallow-repository") == "true"
    why = (
        f"The pins of {environment} name {running or 'no version'}, and the history contains no older release"
    )
    raise Stop(
        "no-evidence",
        f"There is no release to roll {environment} back to.",
        f"{why}{', in this shallow clone' if shallow else ''}.",
        "Fetch the whole history (git fetch --unshallow)."
        if shallow
        else "Name the version, as in --version 1.2.3.",
    )


def _pinned(settings: Settings, context: Context, environment: str, commit: str) -> str:
    """The version that the pins named at a commit, or name in the work tree."""
    policy = settings.environment(environment)
    contents: dict[str, bytes | None] = {}
    for path in pinned_version.files_of(policy):
        place = context.inside(path, what="pins")
        if not commit:
            contents[path] = place.read_bytes() if place.is_file() else None
            continue
        text = git.output(context.workspace, "show", f"{commit}:{path}")
        contents[path] = text.encode() if text else None
    return pinned_version.standing(policy, contents, settings).version


def _banned(settings: Settings, context: Context, now: datetime) -> set[str]:
    """Versions that a ban in this clone rules out, as it was fetched last."""
    bans = branch_names.ban(settings.app, "*")  # with a `*` Git matches the whole name
    patterns = [f"{where}/{bans}" for where in _WHERE]
    refs = git.output(context.workspace, "for-each-ref", "--format=%(refname)", *patterns).split()
    read = {
        ref: marks.decode(git.output(context.workspace, "show", f"{ref}:{marks.FILE}").encode())
        for ref in refs
    }
    return {ref.rpartition("/")[2] for ref, mark in read.items() if marks.active(mark, now)}
