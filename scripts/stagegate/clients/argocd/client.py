"""Reads applications, their stream, resource trees and manifests from Argo CD's public REST API.

https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/ ; redirects are never followed, because the
token would travel with them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import HTTPError

from stagegate.clients import http
from stagegate.clients.argocd import refusals
from stagegate.errors import Stop
from stagegate.runner import log

Json = dict[str, Any]
STREAM_SILENCE = 90.0  # seconds without a byte before a stream counts as dead; ingresses cut earlier
_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", re.ASCII)
_PLAIN = re.compile(
    r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE"
)  # OpenSSL's words for a response without TLS
_BLOCK = 64 * 1024
_LINE_LIMIT = 32 * 1024 * 1024  # an Application document is at most etcd's 1.5 MiB


class ArgoCD:
    """One Argo CD server, read with one token.

    `server` is `host`, `host:port` or a URL (https unless it says otherwise); `headers` go to this host only,
    for a proxy in front; `ca` is the path of a PEM file; `project` and `namespace` narrow every request.
    """

    def __init__(
        self,
        server: str,
        token: str,
        *,
        headers: Mapping[str, str] | None = None,
        ca: str = "",
        project: str = "",
        namespace: str = "",
    ) -> None:
        self.url = address(server)
        self.host = urlsplit(self.url).netloc
        if not token.strip():
            raise refusals.empty("argocd-token")
        log.mask(token, *(headers or {}).values())
        self._ca = (
            ca or None
        )  # set for each request, because REQUESTS_CA_BUNDLE overrides the setting of a session
        self._session = http.session(retries=0)  # the waiting caller decides about retries
        self._session.headers.update({"Authorization": f"Bearer {token.strip()}", **(headers or {})})
        self._narrow = {"project": project, "appNamespace": namespace}
        self._project = project
        self._server = refusals.Server(self.url, self.host, project)

    def application(self, name: str, *, refresh: str = "") -> Json:
        """The Application document as it is now; `refresh` is `normal` or `hard` and makes the server wait
        for the controller. Stop when it cannot be read: a missing Application is never an empty result."""
        return self._get(self._path(name), self._about(name), {"refresh": refresh}, name)

    def applications(self, selector: str) -> list[Json]:
        """Every Application with these labels."""
        query = {"selector": selector, "projects": self._project}
        listed = self._get("applications", f"Applications with {selector}", query, "").get("items") or []
        return [item for item in listed if isinstance(item, dict)]

    def tree(self, name: str) -> Json:
        """The resource tree: every object the Application owns, down to pods, with images and health."""
        return self._get(f"{self._path(name)}/resource-tree", self._about(name), {}, name)

    def manifests(self, name: str, document: Mapping[str, Any] | None = None) -> list[Json]:
        """The objects Argo CD renders, at exactly the revisions that `document` was compared at where one is given;
        values of Secrets are masked by it."""
        response = self._get(
            f"{self._path(name)}/manifests", self._about(name), _revisions(document or {}), name
        )
        return self._objects(response.get("manifests"), "a manifest that is not JSON")

    def managed_resources(self, name: str) -> list[Json]:
        """The objects that Argo CD last compared the cluster with, without those that are only in the cluster."""
        response = self._get(f"{self._path(name)}/managed-resources", self._about(name), {}, name)
        targets = [item.get("targetState") for item in response.get("items") or () if isinstance(item, dict)]
        return self._objects(targets, "a target state that is not JSON")

    def resource(self, name: str, node: Mapping[str, Any]) -> Json:
        """The live object of a node of the tree."""
        query = {
            "resourceName": str(node.get("name", "")),
            "namespace": str(node.get("namespace", "")),
            "group": str(node.get("group", "")),
            "version": str(node.get("version", "v1")),
            "kind": str(node.get("kind", "")),
        }
        response = self._get(f"{self._path(name)}/resource", self._about(name), query, name)
        text = response.get("manifest") or "{}"
        try:
            live = json.loads(text)
        except (TypeError, ValueError) as error:
            raise refusals.nonsense("a live object that is not JSON", self._server) from error
        return live if isinstance(live, dict) else {}

    def sync_windows(self, name: str) -> Json:
        """The sync windows assigned to the Application, and those that are active."""
        return self._get(f"{self._path(name)}/syncwindows", self._about(name), {}, name)

    def application_set(self, name: str) -> Json:
        """An ApplicationSet; the token needs `applicationsets, get` on it."""
        query = {"appsetNamespace": self._narrow["appNamespace"]}
        response = self._send(f"{self.url}/api/v1/applicationsets/{quote(name, safe='')}", self._query(query))
        return self._document(response, f"ApplicationSet {name}")

    def clusters(self) -> list[Json]:
        """Every cluster that the token may read (`clusters, get`), with the versions that Argo CD reports."""
        response = self._send(f"{self.url}/api/v1/clusters", {})
        listed = self._document(response, "The list of clusters").get("items") or []
        return [item for item in listed if isinstance(item, dict)]

    def watch(self, name: str) -> Iterator[Json]:
        """The Application's document now and at every change, until the server ends the stream.

        Stop as for `application`; silence and lost connections end it with Stop(unreachable).
        """
        namespace, short = self._place(name)
        query = self._query({"name": short, "appNamespace": namespace})
        query |= {"projects": self._project} if self._project else {}
        timeout = (http.CONNECT_SECONDS, STREAM_SILENCE)
        address = f"{self.url}/api/v1/stream/applications"
        response = self._send(address, query, stream=True, timeout=timeout)
        with closing(response):
            refusals.refuse(response, self._about(name), self._server)
            try:
                for line in _lines(response):
                    if document := self._event(line):
                        yield document
            except (HTTPError, OSError) as error:  # requests does not translate what `read1` raises
                raise http.unreachable(self.host, error) from error

    def close(self) -> None:
        """End every connection, an open stream included."""
        self._session.close()

    # --- inside --------------------------------------------------------------------------------------------

    def _event(self, line: bytes) -> Json | None:
        text = line.removeprefix(b"data:").strip()
        if not text or not text.startswith(b"{") or len(text) > _LINE_LIMIT:
            return None
        try:
            event = json.loads(text)
        except ValueError as error:
            raise refusals.nonsense("an event that is not JSON", self._server) from error
        result = event.get("result") or {}
        if event.get("error"):
            raise refusals.nonsense(
                f"an error in the stream ({refusals.words(event['error'])})", self._server
            )
        application = result.get("application")
        return application if isinstance(application, dict) and result.get("type") != "DELETED" else None

    def _place(self, name: str) -> tuple[str, str]:
        """Namespace (empty: Argo CD's own) and name of an Application: `team-a/shop` is one in `team-a`."""
        namespace, _, short = name.rpartition("/")
        return namespace or self._narrow["appNamespace"], short

    def _path(self, name: str) -> str:
        return f"applications/{quote(self._place(name)[1], safe='')}"

    def _objects(self, texts: object, fault: str) -> list[Json]:
        """JSON texts as objects; empty ones are left out."""
        try:
            objects = [json.loads(text) if isinstance(text, str) else text for text in _list(texts) if text]
        except ValueError as error:
            raise refusals.nonsense(fault, self._server) from error
        return [item for item in objects if isinstance(item, dict)]

    def _get(self, path: str, about: str, query: Mapping[str, Any], name: str) -> Json:
        narrow = {**self._narrow, "appNamespace": self._place(name)[0]}
        return self._document(
            self._send(f"{self.url}/api/v1/{path}", self._query({**narrow, **query})), about
        )

    def _document(self, response: requests.Response, about: str) -> Json:
        refusals.refuse(response, about, self._server)
        try:
            document = response.json()
        except ValueError as error:
            raise refusals.page(response, self._server) from error
        if not isinstance(document, dict):
            raise refusals.nonsense("JSON that is not an object", self._server)
        return document

    def _send(self, address: str, query: Mapping[str, Any], **options: Any) -> requests.Response:
        try:
            return self._session.get(address, params=query, allow_redirects=False, verify=self._ca, **options)
        except requests.exceptions.SSLError as error:
            if _PLAIN.search(str(error)):
                raise Stop(
                    "unreachable",
                    f"The server at {self.host} does not use TLS.",
                    "stagegate uses https unless the address begins with http://, and the server "
                    "responded without TLS.",
                    f"If the server uses plain HTTP on purpose, write http://{self.host}. "
                    "Otherwise correct the port.",
                ) from error
            raise Stop(
                "unreachable",
                f"The certificate of {self.host} is not trusted.",
                "The certificate is signed by an authority that this machine does not trust, or it "
                "belongs to a different host name.",
                "Pass that authority's certificate as `argocd-ca`; stagegate never skips the check of a "
                "certificate.",
            ) from error
        except requests.RequestException as error:
            raise http.unreachable(self.host, error) from error

    @staticmethod
    def _query(parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in parameters.items() if value}

    def _about(self, name: str) -> str:
        return f"Application {name}" + (f" of project {self._project}" if self._project else "")


def address(server: str) -> str:
    """The URL of `host`, `host:port` or a URL. Stop(empty-secret|bad-input) for anything else."""
    text = server.strip()
    if not text:
        raise refusals.empty("argocd-server")
    url = (text if "://" in text else f"https://{text}").rstrip("/")
    if urlsplit(url).scheme not in ("http", "https") or not _HOST.fullmatch(urlsplit(url).netloc):
        raise Stop(
            "bad-input",
            "argocd-server is not an address.",
            "`argocd-server` must be a host name, host:port or an https URL, without a user.",
            "Correct the variable ARGOCD_SERVER of the GitHub Environment.",
        )
    return url


def _revisions(document: Mapping[str, Any]) -> dict[str, Any]:
    """The revisions of a comparison as the request for manifests names them; several by their place, from 1."""
    sync = (document.get("status") or {}).get("sync") or {}
    several = [str(revision) for revision in _list(sync.get("revisions"))]
    if several:
        return {"sourcePositions": [str(place) for place, _ in enumerate(several, 1)], "revisions": several}
    return {"revision": str(sync.get("revision") or "")}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _lines(response: requests.Response) -> Iterator[bytes]:
    """The lines of a stream, each as soon as it arrives; every byte is copied once.

    `iter_lines` either waits until a block is full or reads byte by byte and copies a long line for each of them.
    """
    parts: list[bytes] = []
    while block := response.raw.read1(_BLOCK, decode_content=True):
        first, *following = block.split(b"\n")
        parts.append(first)
        for line in following:
            yield b"".join(parts).rstrip(b"\r")
            parts = [line]
    if any(parts):
        yield b"".join(parts)
