"""As much of the OCI distribution protocol as one push needs: find, fetch and store blobs and manifests."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
ACCEPT = ", ".join((INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST))
TIMEOUT = 60  # seconds for one request

Json = dict[str, Any]


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Repository:
    """One repository, like `ghcr.io/acme/shop`. Credentials go to its host and the token service it names."""

    name: str
    username: str = ""
    password: str = field(default="", repr=False)
    _authorization: str = field(default="", repr=False, init=False)

    @property
    def host(self) -> str:
        return self.name.partition("/")[0]

    @property
    def path(self) -> str:
        return self.name.partition("/")[2]

    @property
    def url(self) -> str:
        local = self.host.partition(":")[0] in ("127.0.0.1", "localhost")
        return f"{'http' if local else 'https'}://{self.host}/v2/{self.path}"

    def digest(self, reference: str) -> str | None:
        """Digest of a manifest by tag or digest; None when the registry says that it is absent."""
        try:
            headers, _ = self._call("HEAD", f"{self.url}/manifests/{reference}", {"Accept": ACCEPT})
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        return headers["Docker-Content-Digest"]

    def manifest(self, reference: str) -> bytes:
        return self._call("GET", f"{self.url}/manifests/{reference}", {"Accept": ACCEPT})[1]

    def blob(self, digest: str) -> bytes:
        """Raises ValueError when the registry sends other content than the digest names."""
        data = self._call("GET", f"{self.url}/blobs/{digest}")[1]
        if sha256(data) != digest:
            raise ValueError(f"{self.name}: blob {digest} arrived as {sha256(data)}")
        return data

    def has_blob(self, digest: str) -> bool:
        try:
            self._call("HEAD", f"{self.url}/blobs/{digest}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return False
            raise
        return True

    def put_blob(self, data: bytes) -> None:
        headers, _ = self._call("POST", f"{self.url}/blobs/uploads/", data=b"")
        place = urllib.parse.urljoin(self.url, headers["Location"])
        place += ("&" if "?" in place else "?") + urllib.parse.urlencode({"digest": sha256(data)})
        self._call("PUT", place, {"Content-Type": "application/octet-stream"}, data)

    def put_manifest(self, reference: str, data: bytes) -> None:
        media_type = json.loads(data)["mediaType"]
        self._call("PUT", f"{self.url}/manifests/{reference}", {"Content-Type": media_type}, data)

    def _call(
        self, method: str, url: str, headers: dict[str, str] | None = None, data: bytes | None = None
    ) -> tuple[Message, bytes]:
        for attempt in (1, 2):
            request = urllib.request.Request(url, data, headers or {}, method=method)
            if self._authorization and urllib.parse.urlsplit(url).netloc == self.host:
                # unredirected: a blob store that the registry sends us to must not see it
                request.add_unredirected_header("Authorization", self._authorization)
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                    return answer.headers, answer.read()
            except urllib.error.HTTPError as error:
                if error.code != 401 or attempt == 2:
                    raise
                self._authorization = self._log_in(error.headers.get("WWW-Authenticate", ""), method)
        raise AssertionError("unreachable")

    def _log_in(self, challenge: str, method: str) -> str:
        """The Authorization header that a `WWW-Authenticate` challenge asks for."""
        basic = "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic":
            return basic
        fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if scheme.lower() != "bearer" or "realm" not in fields:
            raise ValueError(f"{self.host} asks for a login this script does not know: {scheme or 'none'}")
        realm = fields.pop("realm")
        if not realm.startswith("https://") and not self.url.startswith("http://"):
            raise ValueError(f"{self.host} asks to log in without TLS at {realm}")
        fields["scope"] = f"repository:{self.path}:pull" + ("" if method in ("GET", "HEAD") else ",push")
        request = urllib.request.Request(f"{realm}?{urllib.parse.urlencode(fields)}")
        if self.username:
            request.add_unredirected_header("Authorization", basic)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            body = json.load(answer)
        return f"Bearer {body.get('token') or body['access_token']}"
