"""Drafts, fills and publishes GitHub releases."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlsplit

import msgspec

from stagegate.clients import http
from stagegate.clients.hub import memory
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import Refused
from stagegate.clients.hub.response import HubResponse
from stagegate.clients.hub.transport import settle
from stagegate.clients.hub.values import Asset, ReleaseInfo
from stagegate.errors import Stop

_RIGHT = "contents: write"


class _Asset(msgspec.Struct, frozen=True):
    id: int
    name: str
    size: int
    digest: str | None = None
    state: str = "uploaded"

    def value(self) -> Asset:
        return Asset(id=self.id, name=self.name, size=self.size, digest=self.digest or "", state=self.state)


class _Release(msgspec.Struct, frozen=True):
    id: int
    tag_name: str
    draft: bool
    prerelease: bool
    html_url: str
    upload_url: str
    name: str | None = None
    body: str | None = None
    assets: list[_Asset] = []
    immutable: bool = False

    def value(self) -> ReleaseInfo:
        return ReleaseInfo(
            id=self.id,
            tag=self.tag_name,
            name=self.name or "",
            draft=self.draft,
            prerelease=self.prerelease,
            url=self.html_url,
            upload_url=self.upload_url.partition("{")[0],
            body=self.body or "",
            assets=tuple(asset.value() for asset in self.assets),
            immutable=self.immutable,
        )


class Releases(Port):
    """Releases of the repository."""

    def releases(self) -> list[ReleaseInfo]:
        """All releases, newest first; drafts only for a token that may write contents."""
        path = self._c.path("releases")
        return [r.value() for r in self._c.pages(path, _Release, "list the releases", "contents: write")]

    def release(self, tag: str) -> ReleaseInfo | None:
        """The release of a tag; a published one wins over drafts, which only a listing shows."""
        path = self._c.path("releases/tags", tag)
        existing = self._c.find(path, _Release, f"read the release {tag}", "contents: read")
        if existing:
            return existing.value()
        drafts = [release for release in self.releases() if release.tag == tag]
        return min(drafts, key=lambda r: (r.draft, r.id), default=None)

    def create_release(
        self, tag: str, name: str, body: str, draft: bool = True, prerelease: bool = False
    ) -> ReleaseInfo:
        """Make a release of a tag that exists. It never says where a missing tag should point."""
        fields = {"tag_name": tag, "name": name, "body": body, "draft": draft, "prerelease": prerelease}

        def create() -> ReleaseInfo:
            path = self._c.path("releases")
            return self._c.write("POST", path, fields, f"create the release {tag}", _RIGHT, _Release).value()

        try:
            return settle(create, lambda: self.release(tag))
        except Refused as refusal:
            existing = self.release(tag) if "already_exists" in refusal.message else None
            if existing:
                return existing
            raise _burned(refusal, tag) from refusal

    def publish_release(
        self, draft: ReleaseInfo, *, make_latest: bool, prerelease: bool = False
    ) -> ReleaseInfo:
        """Turn a draft into a release; `make_latest` decides what the repository shows as its newest.

        Where another run has published a release of that tag meanwhile, that one is returned, and the draft is
        deleted.
        """
        latest = "true" if make_latest else "false"
        fields = {"draft": False, "prerelease": prerelease, "make_latest": latest}
        path = self._c.path("releases", draft.id)
        try:
            return self._c.write(
                "PATCH", path, fields, "publish the release", _RIGHT, _Release, repeatable=True
            ).value()
        except Refused as refusal:
            published = self.release(draft.tag) if "already_exists" in refusal.message else None
            if published is None or published.draft:
                raise _burned(refusal, draft.tag) from refusal
        self._c.write("DELETE", path, {}, "remove the draft", _RIGHT, msgspec.Raw, repeatable=True)
        return published

    def upload_asset(self, release: ReleaseInfo, name: str, data: bytes, content_type: str) -> Asset:
        """Add a file to a release. One with the same content that another run has uploaded meanwhile is returned.
        Stop(version-taken) when a finished one of that name has other content."""
        url = f"{release.upload_url}?name={quote(name, safe='')}"
        self._own_host(url)
        doing = f"upload {name}"
        session = http.session(retries=0)
        headers = {"Authorization": f"Bearer {self._c.token}", "Content-Type": content_type}

        def ask() -> HubResponse:
            response = session.post(url, data=data, headers=headers, timeout=(10, 300), allow_redirects=False)
            return _answer(response.status_code, response.headers.items(), response.text)

        def create() -> Asset:
            memory.forget()
            return self._c.send(ask, _decode_asset, doing, _RIGHT, write=True).value()

        def find() -> Asset | None:
            existing = next((a for a in self.assets(release.id) if a.name == name), None)
            if existing and existing.state != "uploaded":  # left over from an interrupted upload
                self.delete_asset(existing.id)
                return None
            return existing if existing and existing.size == len(data) else None

        try:
            return settle(create, find)
        except Refused as refusal:
            if "already_exists" not in refusal.message:
                raise
            existing = find()
            if existing is None and not any(a.name == name for a in self.assets(release.id)):
                return create()
            if existing is not None and self.download_asset(existing.id) == data:
                return existing
            raise Stop(
                "version-taken",
                f"The release {release.tag} already has a file {name}.",
                "Another run uploaded it at the same time, with other content.",
                "Compare both runs.",
            ) from refusal

    def assets(self, release_id: int) -> list[Asset]:
        """The files of a release."""
        path = self._c.path("releases", release_id, "assets")
        return [a.value() for a in self._c.pages(path, _Asset, "list the release's files", "contents: read")]

    def delete_asset(self, id: int) -> None:
        """Remove a file of a draft, or one that never became one (state `starter`)."""
        path = self._c.path("releases/assets", id)
        self._c.write("DELETE", path, {}, f"remove asset {id}", _RIGHT, msgspec.Raw, repeatable=True)

    def download_asset(self, id: int) -> bytes:
        """The bytes of a file. The token goes to the API only, not to the storage it redirects to."""
        url = self._c.api_url + self._c.path("releases/assets", id)
        session = http.session(retries=0)
        headers = {"Authorization": f"Bearer {self._c.token}", "Accept": "application/octet-stream"}
        doing = f"download asset {id}"
        content = b""

        def ask(address: str, with_headers: dict[str, str]) -> Callable[[], HubResponse]:
            def once() -> HubResponse:
                nonlocal content
                response = session.get(
                    address, headers=with_headers, timeout=(10, 300), allow_redirects=False
                )
                content = response.content
                text = response.text if response.status_code >= 400 else ""
                return _answer(response.status_code, response.headers.items(), text)

            return once

        first = self._c.send(ask(url, headers), _same, doing, "contents: read", write=False)
        if first.status in (301, 302, 307):
            location = first.headers.get("location", "")
            self._c.send(ask(location, {}), _same, doing, "contents: read", write=False)
        return content

    def _own_host(self, url: str) -> None:
        api, host = urlsplit(self._c.api_url), urlsplit(url).netloc
        uploads = f"{api.scheme}://uploads.{api.netloc.removeprefix('api.')}"
        if not any(http.same_origin(url, address) for address in (self._c.api_url, uploads)):
            raise Stop(
                "unknown-state",
                "GitHub returned an upload address on another host.",
                f"The address is on {host}, and the token is sent only to {self._c.host}.",
                "Check GITHUB_API_URL.",
            )


def _answer(status: int, headers: object, text: str) -> HubResponse:
    items = dict(headers)  # type: ignore[call-overload]
    return HubResponse(status=status, headers={str(k).lower(): str(v) for k, v in items.items()}, text=text)


def _same(response: HubResponse) -> HubResponse:
    return response


def _decode_asset(response: HubResponse) -> _Asset:
    return msgspec.json.decode(response.text, type=_Asset)


def _burned(refusal: Refused, tag: str) -> Stop:
    if "immutable release" not in refusal.message:
        return refusal
    return Stop(
        "version-taken",
        f"GitHub refuses a release of {tag}.",
        f"An immutable release of that tag existed and was deleted, so the tag can never be used again "
        f"({refusal.message}).",
        "Release the next version.",
    )
