"""Drafts, fills and publishes a release.

Each step checks the current state, so that a killed run can be repeated.
"""

from __future__ import annotations

import msgspec

from stagegate.clients.hub import Hub, ReleaseInfo
from stagegate.errors import Stop
from stagegate.model import Change
from stagegate.release.publication.plan_facts import Publication, ReleaseFacts
from stagegate.runner import log


class PublishedRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The address of the release (empty: none yet), and the changes of this run, made or intended."""

    url: str
    changes: tuple[Change, ...]

    def with_changes(self, more: tuple[Change, ...]) -> PublishedRelease:
        """A copy with more changes."""
        return PublishedRelease(url=self.url, changes=(*self.changes, *more))


def apply(
    decided: Publication, facts: ReleaseFacts, github: Hub, body: str, *, dry_run: bool
) -> PublishedRelease:
    """Make the release, or return the intended changes of a dry run. An existing draft is filled, not replaced."""
    if dry_run or not (decided.publish or decided.uploads):
        url = facts.existing.url if facts.existing else ""
        return PublishedRelease(url=url, changes=intended(decided, facts))
    changes: list[Change] = []
    release = None if decided.draft else github.release(facts.tag)
    if release is None:
        title = f"{facts.app} {facts.version}"
        release = github.create_release(facts.tag, title, body, draft=True, prerelease=decided.prerelease)
        log.say(f"drafted the release {facts.tag}")
        changes.append(Change(kind="draft", target=facts.tag))
    if decided.replaced:
        github.delete_asset(decided.replaced)
    for asset in decided.uploads:
        github.upload_asset(release, asset.name, asset.content, asset.content_type)
        log.say(f"uploaded {asset.name}")
        changes.append(Change(kind="asset", target=asset.name, after=asset.digest))
    if decided.publish:
        draft, release = (
            release,
            github.publish_release(release, make_latest=decided.latest, prerelease=decided.prerelease),
        )
        if release.id != draft.id:
            _demand_same(release, decided, facts)
            log.say(
                f"a different run has published {facts.tag} with the same files, so publish-release "
                "deletes the draft of this run"
            )
            return PublishedRelease(url=release.url, changes=())
        log.say(f"published {facts.tag}")
        changes.append(Change(kind="release", target=facts.tag, after=release.url))
    return PublishedRelease(url=release.url, changes=tuple(changes))


def _demand_same(published: ReleaseInfo, decided: Publication, facts: ReleaseFacts) -> None:
    """Compare with the release of a run that ended at the same time. Stop(version-taken) for other files."""
    digests = {asset.name: asset.digest for asset in published.assets}
    differing = [asset.name for asset in decided.uploads if digests.get(asset.name) not in (asset.digest, "")]
    if differing:
        raise Stop(
            "version-taken",
            f"Another run has published the release {facts.tag} at the same time, with other files.",
            f"These files of the other run are missing or different: {', '.join(differing)}.",
            "Compare the two runs. To add missing files, run publish-release again.",
        )


def intended(decided: Publication, facts: ReleaseFacts) -> tuple[Change, ...]:
    """The changes a dry run would make."""
    draft = (Change(kind="draft", target=facts.tag, done=False),) if decided.draft else ()
    uploads = (
        Change(kind="asset", target=asset.name, after=asset.digest, done=False) for asset in decided.uploads
    )
    publish = (Change(kind="release", target=facts.tag, done=False),) if decided.publish else ()
    return (*draft, *uploads, *publish)
