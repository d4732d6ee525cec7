"""Reads digests, manifests, blobs and tags of a registry, and pushes with a known result.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

from stagegate.clients import http
from stagegate.clients.registry import agreement, claims
from stagegate.clients.registry.manifest import ACCEPT, Manifest
from stagegate.clients.registry.reference import Reference, parse
from stagegate.clients.registry.transport import Transport
from stagegate.clients.registry.trouble import Transient, absent
from stagegate.errors import Stop
from stagegate.model import DIGEST, digest_of
from stagegate.runner import variables

if TYPE_CHECKING:
    import requests

MANIFEST_LIMIT = 4 << 20
BLOB_LIMIT = 64 << 20
_PAGES = 1000
_PUSHES = 4


class Registry:
    """Reads from and writes to the registries in `hosts`; any other host is Stop(wrong-source).

    `username` and `password` are for all of `hosts`; without them docker's configuration is asked for each.
    `timeout` is (connect, read) in seconds. Refusals and silence are Stop, never "absent".
    `writes` names repositories (`host/path`) that will be pushed to: one login then serves looking and
    pushing, and GHCR says "absent" instead of "denied" of a package that the first push will make.
    """

    def __init__(
        self,
        hosts: frozenset[str],
        *,
        username: str = "",
        password: str = "",
        timeout: tuple[float, float] = (10.0, 60.0),
        writes: frozenset[str] = frozenset(),
    ) -> None:
        self._transport = Transport(hosts, username, password, timeout, writes)

    def digest(self, reference: str | Reference) -> str | None:
        """Digest of a tag or of a digest that exists; None only when the registry reports it as absent."""
        target = _target(reference)
        url = f"{target.api}/manifests/{target.wanted}"
        response = self._transport.send("HEAD", url, target, headers={"Accept": ACCEPT})
        response.close()
        announced = response.headers.get("Docker-Content-Digest", "")
        if response.status_code == 200 and DIGEST.fullmatch(announced) and target.digest in ("", announced):
            return announced
        if response.status_code == 429 or response.status_code >= 500:
            raise self._transport.refused(response, target, "to look for")
        stored = self.manifest(target)  # a HEAD has no body, so only GET shows whether 404 means absent
        return stored.digest if stored else None

    def manifest(self, reference: str | Reference) -> Manifest | None:
        """The manifest, its bytes checked against every digest that is known; None when there is none."""
        target = _target(reference)
        url = f"{target.api}/manifests/{target.wanted}"
        response, raw = self._transport.read(url, target, MANIFEST_LIMIT, ACCEPT)
        if response.status_code != 200:
            if absent(response, raw):
                return None
            raise self._transport.refused(response, target, "to read", raw)
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
        try:
            document = json.loads(raw)
            media_type = str(document.get("mediaType") or media_type)
            plausible = document.get("schemaVersion") == 2
        except (ValueError, AttributeError):
            plausible = False
        if not plausible:
            raise _nonsense(target, "something that is not a manifest")
        manifest_read = Manifest(media_type=media_type, raw=raw)
        promised = (target.digest, response.headers.get("Docker-Content-Digest", ""))
        if any(digest.startswith("sha256:") and digest != manifest_read.digest for digest in promised):
            raise _nonsense(
                target, f"content with the digest {manifest_read.digest}, which is not the requested one"
            )
        return manifest_read

    def children(self, reference: str | Reference) -> frozenset[str]:
        """Digests of the manifests that an index lists; empty for a manifest. Stop when it is absent."""
        target = _target(reference)
        index = self.manifest(target)
        if index is None:
            raise _nonsense(target, "no manifest, although the manifest existed before")
        listed = index.document.get("manifests", []) if index.is_index else []
        return frozenset(str(entry["digest"]) for entry in listed)

    def config_digest(self, reference: str | Reference) -> str:
        """The digest of an image's configuration, which runtimes call its id; empty for an index or no image."""
        manifest = self.manifest(reference)
        config = manifest.document.get("config") if manifest is not None and not manifest.is_index else None
        return str(config.get("digest") or "") if isinstance(config, dict) else ""

    def blob(self, repository: str | Reference, digest: str, limit: int = BLOB_LIMIT) -> bytes:
        """A blob of at most `limit` bytes, checked against its digest. Stop when it is absent or other."""
        target = _target(repository).at(digest)
        response, data = self._transport.read(f"{target.api}/blobs/{digest}", target, limit)
        if response.status_code != 200:
            raise self._transport.refused(response, target, "to read", data)
        if digest_of(data) != digest:
            raise _nonsense(target, f"different content ({digest_of(data)})")
        return data

    def tags(self, repository: str | Reference) -> tuple[str, ...]:
        """Every tag of a repository, all pages, in the registry's order; empty when there is none."""
        target = _target(repository)
        url = f"{target.api}/tags/list?n=1000"
        names: dict[str, None] = {}
        for _ in range(_PAGES):
            response, raw = self._transport.read(url, target, MANIFEST_LIMIT)
            if response.status_code != 200:
                if absent(response, raw):
                    return ()
                raise self._transport.refused(response, target, "to list", raw)
            try:
                names |= dict.fromkeys(str(tag) for tag in json.loads(raw)["tags"] or ())
            except (ValueError, LookupError, TypeError) as error:
                raise _nonsense(target, "something that is not a list of tags") from error
            following = response.links.get("next", {}).get("url", "")
            if not following:
                return tuple(names)
            url = self._transport.place(target, url, following)
            if not http.same_origin(url, target.api):
                raise _nonsense(target, "a next page on another host")
        raise _nonsense(target, f"more than {_PAGES} pages of tags")

    def demand_push(self, repository: str | Reference) -> None:
        """Stop where this login may not push to a repository. An upload is begun and cancelled."""
        target = _target(repository)
        place = self.begin_upload(target)
        self._transport.send("DELETE", place, target).close()  # a registry discards it later in any case

    def begin_upload(self, repository: str | Reference) -> str:
        """Where a blob can be sent to: the proof that this login may push, before anything is public.

        Stop(missing-permission) when it may not. Transient when it may be tried again.
        """
        target = _target(repository)
        response = self._transport.send("POST", f"{target.api}/blobs/uploads/", target, data=b"")
        self._expect(response, target, 202)
        location = response.headers.get("Location", "")
        if not location:
            raise _nonsense(target, "no address for an upload")
        # A relative location refers to the address after redirects.
        return self._transport.place(target, response.url, location)

    def push_blob(
        self, repository: str | Reference, data: bytes, *, absent: bool = False, begun: str = ""
    ) -> str:
        """Store a blob unless it is there (`absent`: it is new, so nobody looks); its digest.

        `begun` is the place of an upload that has begun. Transient when the upload may be tried again.
        """
        digest = digest_of(data)
        target = _target(repository).at(digest)
        if not absent:
            response = self._transport.send("HEAD", f"{target.api}/blobs/{digest}", target)
            response.close()
            if response.status_code == 200:
                return digest
        place = begun or self.begin_upload(target)
        put = f"{place}{'&' if '?' in place else '?'}digest={digest}"
        headers = {"Content-Type": "application/octet-stream"}
        self._expect(self._transport.send("PUT", put, target, headers=headers, data=data), target, 201)
        return digest

    def push_manifest(self, target: str | Reference, manifest: Manifest) -> None:
        """PUT a manifest under a tag or its digest, and make sure that the registry has it there.

        The digest in the registry's response is compared. Without one, or when the response is lost, the tag is
        read. Stop(unknown-state) when the registry took the manifest and has nothing or something else.
        """
        target = _target(target)
        url = f"{target.api}/manifests/{target.wanted}"
        try:
            response = self._transport.send(
                "PUT", url, target, headers={"Content-Type": manifest.media_type}, data=manifest.raw
            )
            self._expect(response, target, 201)
        except Transient:
            if self.digest(target) != manifest.digest:
                raise
            return
        stored = response.headers.get("Docker-Content-Digest", "") or self.digest(target)
        if stored != manifest.digest:
            raise _nonsense(target, f"{stored or 'nothing'} after a push of {manifest.digest}")

    def push(
        self,
        target: str | Reference,
        manifest: Manifest,
        blobs: tuple[bytes, ...],
        *,
        replace: bool = False,
        absent: bool = False,
        begun: str = "",
    ) -> bool:
        """Blobs, then the manifest under its tag, all of it again when a registry stumbles.

        `absent` is for a caller that has just looked. It agrees with other such callers before the tag is written.
        `begun` is the upload that such a caller has begun, used for the first blob.
        False when it was there already. A tag with other content is Stop(version-taken) unless `replace`.
        """
        target = _target(target)
        pace = variables.retry_pace()
        own_claim = claims.claim(target.tag, manifest.digest)
        agreed = False
        for attempt in range(_PUSHES):
            first = absent and attempt == 0
            existing_digest = None if first else self.digest(target)
            if existing_digest == manifest.digest:
                return attempt > 0
            if existing_digest is not None and not replace:
                raise taken(target, existing_digest, manifest.digest)
            try:
                for number, blob in enumerate(blobs):
                    self.push_blob(target, blob, absent=first, begun=begun if first and not number else "")
                if not agreed:
                    put = partial(self.push_manifest, manifest=manifest)
                    published = (
                        agreement.agree(self, target, own_claim, put) if absent else self.digest(target)
                    )
                    if published == manifest.digest:
                        return False
                    if published is not None and not replace:
                        raise taken(target, published, manifest.digest)
                    agreed = True  # it stays so: from now on rivals expect that this publisher writes
                self.push_manifest(target, manifest)
                return True
            except Transient:
                if attempt == _PUSHES - 1:
                    raise
                time.sleep(min(20.0, pace * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    def _expect(self, response: requests.Response, target: Reference, status: int) -> None:
        try:
            if response.status_code != status:
                raise self._transport.refused(response, target, "a push to")
        finally:
            response.close()


def taken(target: Reference, existing: str, built: str) -> Stop:
    """The Stop for a version that is published with other content (I5): both digests are named."""
    return Stop(
        "version-taken",
        f"{target} is already published with different content.",
        f"The registry has {existing}, this build is {built}; a published version never changes.",
        "Make a new version with version-bump and publish that.",
    )


def _target(reference: str | Reference) -> Reference:
    return parse(reference) if isinstance(reference, str) else reference


def _nonsense(target: Reference, response: str) -> Stop:
    return Stop(
        "unknown-state",
        f"{target.host} returned {response} for {target}.",
        "The response may come from a proxy, a login page or a broken registry.",
        "Check the address, then run the job again. stagegate does not rely on such a response.",
    )
