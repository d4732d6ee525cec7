"""The release pull request: one for the apps of a run, kept up to date. Merging it makes the release."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate import markdown
from stagegate.clients.hub import ACTIONS_BOT, Commit, Hub, Pull, RefUpdate
from stagegate.clients.hub.values import ZERO
from stagegate.errors import Stop
from stagegate.model import Change, branch_names
from stagegate.model.trailers import APP, VERSION
from stagegate.release import version_files
from stagegate.release.bump import release_commits
from stagegate.release.bump.plan_facts import BumpFacts
from stagegate.release.bump.release_commits import AppRelease
from stagegate.report.render import render
from stagegate.settings import Settings

_LIMIT = 60_000  # characters; GitHub accepts 65,536 in the body of a pull request


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """The release pull request after this run; `reason` is proposed, updated or already-proposed."""

    reason: str
    number: int
    url: str
    changes: tuple[Change, ...] = ()


def branch_of(apps: Sequence[Settings], base: str) -> str:
    """The branch of the release pull request for apps that are released together."""
    return branch_names.release_pull(apps[0].app if len(apps) == 1 else "all", base)


def merged(hub: Hub, apps: Sequence[Settings], facts: Sequence[BumpFacts]) -> tuple[BumpFacts, ...]:
    """The facts, with the merge of the release pull request as the release commit of apps that it released.

    The version files at the merge have the released versions; the title of the merge does not matter.
    """
    base = facts[0].branch
    closed = hub.pulls(head=branch_of(apps, base), base=base, state="closed")
    commit = next((pull.merge_commit for pull in closed if _counts(pull, hub)), "")
    if not commit or not any(fact.sha == commit for app_facts in facts for fact in app_facts.commits):
        return tuple(facts)
    paths = dict.fromkeys(place.file for settings in apps for place in settings.version.places)
    blobs = hub.files(commit, tuple(paths))
    contents = {path: blob.content if blob else None for path, blob in blobs.items()}
    released = []
    for settings, app_facts in zip(apps, facts, strict=True):
        versions = {item.version for item in version_files.read_all(settings.version.places, contents)}
        version = versions.pop() if len(versions) == 1 else ""
        is_recent = any(fact.sha == commit for fact in app_facts.commits)
        if is_recent and version and version not in app_facts.tags:
            app_facts = msgspec.structs.replace(app_facts, own=(commit, version))
        released.append(app_facts)
    return tuple(released)


def _counts(pull: Pull, hub: Hub) -> bool:
    return pull.merged and pull.head_repository.lower() == hub.repository.lower()


def propose(
    hub: Hub, apps: Sequence[Settings], releases: Sequence[AppRelease], base: str, head: str, run_id: str
) -> Proposed:
    """Open or update the pull request. Stop(foreign-commits) when others have committed to its branch."""
    branch = branch_of(apps, base)
    tip = hub.head(branch)
    title, body = _texts(releases)
    existing = next(iter(hub.pulls(head=branch, base=base)), None)
    if existing and tip and _is_current(hub, tip, head, releases):
        if (existing.title, existing.body.strip()) == (title, body.strip()):
            return Proposed(reason="already-proposed", number=existing.number, url=existing.url)
    else:
        _replace(hub, branch, tip, releases, head, run_id)
    if existing is None:
        try:
            existing = hub.open_pull(title, body, branch, base)
        except Stop:
            if not tip:
                release_commits.discard(hub, branch)
            raise
        if existing is None:
            raise Stop(
                "stale-base",
                f"{branch} has no changes against {base}.",
                "The files on the branch already contain the next versions.",
                "Run the job again.",
            )
        opened = Change(kind="pull-request", target=f"#{existing.number}", after=title)
        return Proposed(reason="proposed", number=existing.number, url=existing.url, changes=(opened,))
    hub.update_pull(existing.number, title=title, body=body)
    updated = Change(kind="pull-request", target=f"#{existing.number}", before=existing.title, after=title)
    return Proposed(reason="updated", number=existing.number, url=existing.url, changes=(updated,))


def withdraw(hub: Hub, apps: Sequence[Settings], base: str, head: str) -> tuple[Change, ...]:
    """Close a release pull request that is no longer needed. One with commits of others stays open."""
    branch = branch_of(apps, base)
    existing = next(iter(hub.pulls(head=branch, base=base)), None)
    if existing is None or _foreign_commits(hub, head, existing.head_sha):
        return ()
    hub.update_pull(existing.number, state="closed")
    hub.update_refs([RefUpdate(name=f"refs/heads/{branch}", before=existing.head_sha, after=ZERO)])
    return (Change(kind="pull-request", target=f"#{existing.number}", before=existing.title, after="closed"),)


def _replace(
    hub: Hub, branch: str, tip: str | None, releases: Sequence[AppRelease], head: str, run_id: str
) -> None:
    """Make the commits on a helper branch, then move the branch to them in one request (I7)."""
    if tip:
        foreign = _foreign_commits(hub, head, tip)
        if foreign:
            raise Stop(
                "foreign-commits",
                f"{branch} has commits that stagegate did not make.",
                f"One of these commits is {foreign[0].sha[:12]}: "
                f"{markdown.plain(foreign[0].message.splitlines()[0][:80])}.",
                "Move these commits to another branch, or merge or close the pull request and delete its branch.",
            )
    helper = branch_names.helper(branch)
    try:
        shas = release_commits.make(hub, helper, head, releases, run_id)
        hub.update_refs(
            [
                RefUpdate(name=f"refs/heads/{branch}", before=tip or ZERO, after=shas[-1], force=True),
                RefUpdate(name=f"refs/heads/{helper}", before=shas[-1], after=ZERO),
            ]
        )
    except Stop:
        release_commits.discard(hub, helper)
        raise


def _is_current(hub: Hub, tip: str, head: str, releases: Sequence[AppRelease]) -> bool:
    """Whether the branch begins at the newest commit and has exactly the commits and files of the releases."""
    compared = hub.compare(head, tip)
    expected = {(release.settings.app, release.plan.version) for release in releases}
    existing = {(commit.trailers.get(APP), commit.trailers.get(VERSION)) for commit in compared.commits}
    if compared.behind or existing != expected:
        return False
    files = {path: content for release in releases for path, content in release.plan.files.items()}
    blobs = hub.files(tip, tuple(files))
    return all((blob := blobs[path]) is not None and blob.content == files[path] for path in files)


def _foreign_commits(hub: Hub, head: str, tip: str) -> list[Commit]:
    """Commits of the branch that neither stagegate made nor GitHub to merge the base into it."""
    stagegate_actors = (ACTIONS_BOT, hub.viewer())
    commits = hub.compare(head, tip).commits
    listed = {commit.sha for commit in commits}
    return [
        commit
        for commit in commits
        if not (commit.trailers.get(APP) and any(actor.same(commit.author) for actor in stagegate_actors))
        and not (len(commit.parents) == 2 and commit.parents[1] not in listed)
    ]


def _texts(releases: Sequence[AppRelease]) -> tuple[str, str]:
    names = [f"{release.settings.app} {release.plan.version}" for release in releases]
    several = f"{len(names)} apps" if len(names) > 3 else ", ".join(names)
    body = render("release_pull.md.j2", releases=releases)
    note = "The notes are too long for the text of a pull request. The changed files contain all of them."
    return markdown.plain(f"chore(release): {several}"), markdown.shorten(body, _LIMIT, note)
