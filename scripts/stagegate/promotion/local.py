"""`--local`: edits the pins in the work tree and shows what changed. No GitHub, no registry, nothing committed."""

from __future__ import annotations

import difflib

from stagegate.errors import Stop
from stagegate.model import Change, Message, Release, Result, parse_version
from stagegate.pins import pinned_version
from stagegate.promotion.result import OUTPUTS
from stagegate.report import markdown
from stagegate.runner import log
from stagegate.runner.context import Context
from stagegate.settings import Settings


def edit(
    settings: Settings, context: Context, environment: str, version: str, *, dry_run: bool = False
) -> Result:
    """Move the pins of an environment to a version, in files only. Stop(bad-input) without either."""
    if not version or not environment:
        raise Stop(
            "bad-input",
            f"Input missing: {'version' if environment else 'environment'}.",
            "`local` decides nothing, it only edits.",
            "Give `environment` and `version`.",
        )
    parse_version(version, source="version")
    policy = settings.environment(environment)
    paths = set(pinned_version.files_of(policy))
    places = {path: context.inside(path, what="pins") for path in sorted(paths)}
    files = {path: place.read_bytes() if place.is_file() else None for path, place in places.items()}
    tag = settings.version.tag_prefix + version
    release = Release(app=settings.app, version=version, tag=tag, commit="")
    changed, edits = pinned_version.edited(policy, files, release, settings, "")
    difference = "".join(_diff(path, files[path] or b"", content) for path, content in changed.items())
    if not dry_run:
        for path, content in changed.items():
            places[path].write_bytes(content)
    log.say(difference or "No pin changes.")
    reason, what, then = ("no-difference", f"{environment} is pinned to {version} already.", "")
    if changed and dry_run:
        reason, what = ("planned", f"{environment} would be pinned to {version} in the work tree.")
    elif changed:
        reason, what = ("updated", f"{environment} is pinned to {version} in the work tree.")
        then = "Commit it when it is right; no rule was asked."
    return Result(
        reason=reason,
        message=Message(what=what, next=then),
        outputs=dict.fromkeys(OUTPUTS, "")
        | {"changed": str(bool(changed)).lower(), "environment": environment, "version": version},
        summary=f"### promote-pr: local\n\n{markdown.fence(difference, 'diff')}\n" if difference else "",
        app=settings.app,
        environment=environment,
        version=version,
        dry_run=dry_run,
        changes=tuple(
            Change(kind="pin", target=f"{e.file}:{e.line}", before=e.before, after=e.after, done=not dry_run)
            for e in edits
        ),
    )


def _diff(path: str, before: bytes, after: bytes) -> str:
    old, new = (raw.decode("utf-8", "replace").splitlines(keepends=True) for raw in (before, after))
    return "".join(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"))
