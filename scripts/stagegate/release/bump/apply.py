"""Makes the release commits and their tags, all or none, and writes the same bytes to the work tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stagegate import inside
from stagegate.clients.hub import Hub, RefUpdate
from stagegate.clients.hub.values import ZERO
from stagegate.errors import Stop
from stagegate.model import Change, branch_names
from stagegate.release.bump import release_commits
from stagegate.release.bump.release_commits import AppRelease
from stagegate.runner import log


def apply(
    releases: Sequence[AppRelease], hub: Hub, *, workspace: Path, branch: str, head: str, run_id: str
) -> tuple[tuple[str, ...], tuple[Change, ...]]:
    """Write commits and tags; return the released commit of each release and the changes.

    The commits are made on a helper branch. Then one request moves the release branch and creates the tags, so that
    a lost race leaves neither. Raises StaleHead when the branch has moved or a tag exists: read the facts and
    decide again.
    """
    changing = [release for release in releases if release.plan.files and not release.plan.commit]
    commits, changes = (
        _commit_and_tag(changing, hub, branch=branch, head=head, run_id=run_id) if changing else ({}, ())
    )
    tip = next(reversed(commits.values()), head)
    shas = []
    for release in releases:
        plan = release.plan
        sha = commits.get(release.settings.app) or plan.commit or tip
        if release not in changing:
            hub.create_tag(plan.tag, sha, release.tag_message)
            log.say(f"tagged {sha[:12]} as {plan.tag}")
            changes = (*changes, Change(kind="tag", target=plan.tag, after=sha))
        write_locally(plan.files, workspace)
        shas.append(sha)
    return tuple(shas), changes


def _commit_and_tag(
    releases: Sequence[AppRelease], hub: Hub, *, branch: str, head: str, run_id: str
) -> tuple[dict[str, str], tuple[Change, ...]]:
    """Make the commits of apps whose files change; move the branch and create the tags in one request."""
    first = releases[0]
    name = first.settings.app if len(releases) == 1 else "all"
    helper = branch_names.release_helper(name, first.plan.version, run_id or head[:12])
    try:
        shas = release_commits.make(hub, helper, head, releases, run_id)
        tags = [
            RefUpdate(
                name=f"refs/tags/{release.plan.tag}",
                before=ZERO,
                after=hub.tag_object(release.plan.tag, sha, release.tag_message),
            )
            for release, sha in zip(releases, shas, strict=True)
        ]
        hub.update_refs(
            (
                RefUpdate(name=f"refs/heads/{branch}", before=head, after=shas[-1]),
                *tags,
                RefUpdate(name=f"refs/heads/{helper}", before=shas[-1], after=ZERO),
            )
        )
    except Stop:
        release_commits.discard(hub, helper)
        raise
    for release, sha in zip(releases, shas, strict=True):
        log.say(
            f"committed {sha[:12]} on {branch} and tagged it as {release.plan.tag}: {', '.join(release.plan.files)}"
        )
    return {release.settings.app: sha for release, sha in zip(releases, shas, strict=True)}, (
        Change(kind="commit", target=branch, before=head, after=shas[-1]),
        *(
            Change(kind="tag", target=release.plan.tag, after=sha)
            for release, sha in zip(releases, shas, strict=True)
        ),
    )


def write_locally(files: Mapping[str, bytes], workspace: Path) -> None:
    """Write the files to the work tree, so that later steps of this job use the release."""
    for name, content in files.items():
        target = inside.place(workspace, name)
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
