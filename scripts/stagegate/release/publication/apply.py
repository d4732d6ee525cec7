"""Draft, fill, publish: each step looks first, so that it can be cut off anywhere and run again."""

from __future__ import annotations

from stagegate.clients.hub import Hub
from stagegate.model import Change
from stagegate.release.publication.plan import Facts, Publication
from stagegate.runner import log


def apply(decided: Publication, facts: Facts, github: Hub, body: str) -> tuple[str, tuple[Change, ...]]:
    """Make it so; the release's address and the changes. A draft that is there is filled, not replaced."""
    changes: list[Change] = []
    release = None if decided.draft else github.release(facts.tag)
    if release is None:
        title = f"{facts.app} {facts.version}"
        release = github.create_release(facts.tag, title, body, draft=True, prerelease=decided.prerelease)
        log.say(f"drafted the release {facts.tag}")
        changes.append(Change(kind="draft", target=facts.tag))
    for asset in facts.assets:
        if asset.name in decided.uploads:
            github.upload_asset(release, asset.name, asset.content, asset.content_type)
            log.say(f"uploaded {asset.name}")
            changes.append(Change(kind="asset", target=asset.name, after=asset.digest))
    if decided.publish:
        release = github.publish_release(
            release.id, make_latest=decided.latest, prerelease=decided.prerelease
        )
        log.say(f"published {facts.tag}")
        changes.append(Change(kind="release", target=facts.tag, after=release.url))
    return release.url, tuple(changes)


def intended(decided: Publication, facts: Facts) -> tuple[Change, ...]:
    """The changes a dry run would make."""
    draft = (Change(kind="draft", target=facts.tag, done=False),) if decided.draft else ()
    uploads = (
        Change(kind="asset", target=asset.name, after=asset.digest, done=False)
        for asset in facts.assets
        if asset.name in decided.uploads
    )
    publish = (Change(kind="release", target=facts.tag, done=False),) if decided.publish else ()
    return (*draft, *uploads, *publish)
