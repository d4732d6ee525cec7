"""Releases and their files; a draft has no tag, is seen by writers only, and is not found by tag."""

from __future__ import annotations

import hashlib

from lab.forge import branches, events, thread_shapes
from lab.forge.exchange import Answer, Ask, made, nothing
from lab.forge.git_moves import Move
from lab.forge.git_store import valid_ref
from lab.forge.permissions import allows
from lab.forge.records import Release
from lab.forge.refusal import Refusal, invalid, not_found, unprocessable
from lab.forge.routing import Route
from lab.forge.state import Repository
from lab.forge.values import ZERO, Asset, Body, Token

WRITE = "contents=write"
NOTES_LIMIT = 125_000


def list_releases(ask: Ask) -> Answer:
    """GET releases, newest first; drafts only for those who may write."""
    drafts = allows(ask.token, ask.repository, WRITE)
    releases = [release for release in reversed(ask.repository.releases) if drafts or not release.draft]
    return ask.page([thread_shapes.release(ask.links, release) for release in releases])


def get_release(ask: Ask) -> Answer:
    """GET releases/{id}."""
    release = _find(ask)
    if release.draft and not allows(ask.token, ask.repository, WRITE):
        raise not_found()
    return Answer(200, thread_shapes.release(ask.links, release))


def get_by_tag(ask: Ask) -> Answer:
    """GET releases/tags/{tag}: published ones only."""
    for release in ask.repository.releases:
        if release.tag == ask.param("tag") and not release.draft:
            return Answer(200, thread_shapes.release(ask.links, release))
    raise not_found()


def get_latest(ask: Ask) -> Answer:
    """GET releases/latest: the newest that is neither draft nor pre-release nor told not to be."""
    near = [
        release
        for release in ask.repository.releases
        if not release.draft and not release.prerelease and release.latest != "false"
    ]
    if not near:
        raise not_found()
    newest = max(near, key=lambda release: (release.published_at or "", release.id))
    return Answer(200, thread_shapes.release(ask.links, newest))


def create_release(ask: Ask) -> Answer:
    """POST releases; makes the tag when it is published and the tag is missing."""
    repo, fields = ask.repository, ask.fields
    tag = fields.text("tag_name")
    _demand_tag(repo, tag, None)
    release = Release(
        ask.world.next_id(), repo, tag, fields.text_or("target_commitish", repo.default_branch),
        fields.text_or("name", None), fields.text_or("body", None, NOTES_LIMIT), True,
        fields.flag("prerelease", False),
        ask.token.user, ask.world.now(), latest=str(fields.values.get("make_latest", "true")),
    )  # fmt: skip
    if not fields.flag("draft", False):
        _publish(release, ask.token, "created")
    repo.releases.append(release)
    return made(thread_shapes.release(ask.links, release))


def _demand_tag(repo: Repository, tag: str, edited: Release | None) -> None:
    if not valid_ref(f"refs/tags/{tag}"):
        raise invalid("Release", "tag_name", "custom", "tag_name is not well-formed")
    if tag in repo.burned_tags:
        raise invalid("Release", "tag_name", "custom", "tag_name was used by an immutable release")
    if any(release.tag == tag and not release.draft and release is not edited for release in repo.releases):
        raise invalid("Release", "tag_name", "already_exists")


def _publish(release: Release, token: Token, *before: str) -> None:
    """Publish: the tag, then the events, those of `before` first."""
    repo = release.repository
    _demand_tag(repo, release.tag, release)
    if repo.store.ref(f"refs/tags/{release.tag}") is None:
        sha = repo.store.commit_of(release.target)
        if sha is None:
            raise invalid("Release", "target_commitish", "invalid")
        branches.move_refs(repo, token, [Move(f"refs/tags/{release.tag}", sha, ZERO)])
    release.draft, release.published_at = False, repo.world.now()
    for action in (*before, "published", "prereleased" if release.prerelease else "released"):
        _announce(release, token, action)


def _announce(release: Release, token: Token, action: str) -> None:
    repo = release.repository
    sha = repo.store.commit_of(f"refs/tags/{release.tag}") or ""
    body: Body = {"release": thread_shapes.release(events.links(repo.world), release)}
    events.emit(repo, "release", token, body, action=action, ref=f"refs/tags/{release.tag}", sha=sha)


def update_release(ask: Ask) -> Answer:
    """PATCH releases/{id}; `draft: false` publishes."""
    release, fields = _find(ask), ask.fields
    tag = fields.text_or("tag_name", release.tag)
    if tag != release.tag:
        if ask.repository.settings.immutable_releases and not release.draft:
            raise unprocessable("Cannot change the tag of an immutable release")
        _demand_tag(ask.repository, tag, release)
    release.tag, release.target = tag, fields.text_or("target_commitish", release.target)
    release.name, release.body = (
        fields.text_or("name", release.name),
        fields.text_or("body", release.body, NOTES_LIMIT),
    )
    release.prerelease = fields.flag("prerelease", release.prerelease)
    release.latest = str(fields.values.get("make_latest", release.latest))
    if release.draft and not fields.flag("draft", True):
        _publish(release, ask.token)
    elif not release.draft:
        _announce(release, ask.token, "edited")
    return Answer(200, thread_shapes.release(ask.links, release))


def delete_release(ask: Ask) -> Answer:
    """DELETE releases/{id}; the tag stays, and is burned when the release was immutable."""
    release = _find(ask)
    ask.repository.releases.remove(release)
    if ask.repository.settings.immutable_releases and not release.draft:
        ask.repository.burned_tags.add(release.tag)
    return nothing()


def upload_asset(ask: Ask) -> Answer:
    """POST (uploads host) releases/{id}/assets?name=; 422 for a name that is taken or an immutable release."""
    release, name = _find(ask), ask.query.get("name", "")
    if not name:
        raise Refusal(400, "Multipart form data required" if not ask.raw else "name is missing")
    if ask.repository.settings.immutable_releases and not release.draft:
        raise unprocessable("Cannot upload assets to an immutable release.")
    if any(asset.name == name for asset in release.assets):
        raise invalid("ReleaseAsset", "name", "already_exists")
    asset = Asset(
        ask.world.next_id(), name, ask.query.get("label", ""),
        ask.headers.get("Content-Type") or "application/octet-stream", ask.raw,
        f"sha256:{hashlib.sha256(ask.raw).hexdigest()}", ask.token.user, ask.world.now(),
    )  # fmt: skip
    release.assets.append(asset)
    return made(thread_shapes.asset(ask.links, release, asset))


def list_assets(ask: Ask) -> Answer:
    """GET releases/{id}/assets."""
    release = _find(ask)
    return ask.page([thread_shapes.asset(ask.links, release, asset) for asset in release.assets])


def get_asset(ask: Ask) -> Answer:
    """GET releases/assets/{id}: JSON, or the bytes for `application/octet-stream`."""
    release, asset = _asset(ask)
    if "octet-stream" in ask.headers.get("Accept", ""):
        return Answer(200, asset.content, {"Content-Type": "application/octet-stream"})
    return Answer(200, thread_shapes.asset(ask.links, release, asset))


def delete_asset(ask: Ask) -> Answer:
    """DELETE releases/assets/{id}."""
    release, asset = _asset(ask)
    if ask.repository.settings.immutable_releases and not release.draft:
        raise unprocessable("Cannot delete assets from an immutable release.")
    release.assets.remove(asset)
    return nothing()


def download(ask: Ask) -> Answer:
    """GET /{owner}/{repo}/releases/download/{tag}/{name}."""
    for release in ask.repository.releases:
        for asset in release.assets:
            if (release.tag, release.draft, asset.name) == (ask.param("tag"), False, ask.param("name")):
                return Answer(200, asset.content, {"Content-Type": asset.content_type})
    raise not_found()


def _asset(ask: Ask) -> tuple[Release, Asset]:
    number = ask.number("id")
    for release in ask.repository.releases:
        for asset in release.assets:
            if asset.id == number:
                return release, asset
    raise not_found()


def _find(ask: Ask) -> Release:
    return ask.record(ask.repository.releases)


AT = "/repos/{owner}/{repo}/releases"
READ = "contents=read"
ROUTES = (
    Route("GET", AT, list_releases, READ),
    Route("POST", AT, create_release, WRITE),
    Route("GET", AT + "/latest", get_latest, READ),
    Route("GET", AT + "/tags/{tag*}", get_by_tag, READ),
    Route("GET", AT + "/assets/{id}", get_asset, READ),
    Route("DELETE", AT + "/assets/{id}", delete_asset, WRITE),
    Route("GET", AT + "/{id}", get_release, READ),
    Route("PATCH", AT + "/{id}", update_release, WRITE),
    Route("DELETE", AT + "/{id}", delete_release, WRITE),
    Route("GET", AT + "/{id}/assets", list_assets, READ),
    Route("POST", "/uploads/repos/{owner}/{repo}/releases/{id}/assets", upload_asset, WRITE),
    Route("POST", AT + "/{id}/assets", upload_asset, WRITE),
    Route("GET", "/{owner}/{repo}/releases/download/{tag*}/{name}", download, READ),
)
