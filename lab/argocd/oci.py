"""Reads an OCI registry: manifests, tags and blobs, only on this machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from lab.media_types import INDEX_TYPES, MANIFEST_TYPES

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
TIMEOUT = 10.0
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class CannotFetch(Exception):
    """The registry did not return the artifact; the text is the one that a kubelet or Argo CD would show."""


@dataclass(frozen=True)
class Reference:
    """An image as written in a manifest: `host/path[:tag][@digest]`."""

    host: str
    path: str
    tag: str | None
    digest: str | None

    @property
    def repository(self) -> str:
        return f"{self.host}/{self.path}"

    @property
    def revision(self) -> str:
        """The requested digest or, without one, the tag."""
        return self.digest or self.tag or "latest"


@dataclass(frozen=True)
class Manifest:
    """One manifest as served: its digest is computed from the bytes, not taken from a header."""

    digest: str
    media_type: str
    document: dict[str, Any]


def parse_reference(text: str) -> Reference:
    """Docker's rules: the first part is a host when it has a dot, a colon or is localhost."""
    name_and_tag, _, digest = text.partition("@")
    head, slash, tail = name_and_tag.rpartition("/")
    name, _, tag = tail.partition(":")
    repository = f"{head}{slash}{name}"
    first, slash, path = repository.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, path = "docker.io", repository if slash else f"library/{repository}"
    return Reference(first, path, tag or None, digest or None)


class Registries:
    """The registries of the lab: every host is rewritten to one on this machine, or refused."""

    def __init__(self, rewrite: Mapping[str, str], auth: tuple[str, str] | None = None) -> None:
        self._rewrite = dict(rewrite)
        self._auth = auth
        self._session = requests.Session()
        self._session.trust_env = False

    def place(self, repository: str) -> str:
        """`ghcr.io/acme/shop` -> `127.0.0.1:5000/acme/shop`; the longest rewritten prefix wins."""
        for source in sorted(self._rewrite, key=len, reverse=True):
            if repository == source or repository.startswith(source.rstrip("/") + "/"):
                repository = self._rewrite[source] + repository[len(source) :]
                break
        if repository.partition("/")[0].rsplit(":", 1)[0] not in LOOPBACK:
            raise CannotFetch(f"{repository}: no such host (the lab does not leave this machine)")
        return repository

    def manifest(self, repository: str, revision: str) -> Manifest:
        """The manifest of a tag or digest; CannotFetch with the registry's own words otherwise."""
        accept = {"Accept": ", ".join((*INDEX_TYPES, *MANIFEST_TYPES))}
        answer = self._get(repository, f"manifests/{revision}", accept)
        digest = "sha256:" + hashlib.sha256(answer.content).hexdigest()
        if revision.startswith("sha256:") and digest != revision:
            raise CannotFetch(f"{repository}@{revision}: failed to verify: content is {digest}")
        document = answer.json()
        media_type = str(document.get("mediaType") or answer.headers.get("Content-Type", ""))
        return Manifest(digest, media_type, document)

    def tags(self, repository: str) -> tuple[str, ...]:
        """Every tag of a repository, sorted as text."""
        return tuple(sorted(self._get(repository, "tags/list", {}).json().get("tags") or ()))

    def blob(self, repository: str, digest: str, into: Path) -> Path:
        """Write a blob to `into` and check its digest."""
        content = self._get(repository, f"blobs/{digest}", {}).content
        if "sha256:" + hashlib.sha256(content).hexdigest() != digest:
            raise CannotFetch(f"{repository}@{digest}: failed to verify: digest mismatch")
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_bytes(content)
        return into

    def _get(self, repository: str, path_of_kind: str, headers: Mapping[str, str]) -> requests.Response:
        host, _, path = self.place(repository).partition("/")
        url = f"http://{host}/v2/{path}/{path_of_kind}"
        try:
            answer = self._session.get(url, headers=headers, timeout=TIMEOUT)
            if answer.status_code == 401 and self._auth:
                authorized = {**headers, **self._authorization(answer, path)}
                answer = self._session.get(url, headers=authorized, timeout=TIMEOUT, auth=self._basic(answer))
        except requests.RequestException as error:
            raise CannotFetch(f"{repository}: {type(error).__name__}") from error
        if answer.status_code != 200:
            words = {401: "unauthorized", 403: "denied", 404: "not found"}.get(answer.status_code, "failed")
            raise CannotFetch(f"{repository}: {path_of_kind}: {words} (HTTP {answer.status_code})")
        return answer

    def _basic(self, challenge: requests.Response) -> tuple[str, str] | None:
        basic = challenge.headers.get("WWW-Authenticate", "").lower().startswith("basic")
        return self._auth if basic else None

    def _authorization(self, challenge: requests.Response, path: str) -> dict[str, str]:
        """A bearer token by the registry's token endpoint, where it asks for one."""
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge.headers.get("WWW-Authenticate", "")))
        if "realm" not in fields or not challenge.headers["WWW-Authenticate"].lower().startswith("bearer"):
            return {}
        query = {"service": fields.get("service", ""), "scope": f"repository:{path}:pull"}
        answer = self._session.get(fields["realm"], params=query, auth=self._auth, timeout=TIMEOUT).json()
        return {"Authorization": f"Bearer {answer.get('token') or answer.get('access_token')}"}
