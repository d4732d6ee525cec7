"""A cluster's API server, read only: address and login come from the kubeconfig, or from the pod of the job.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import requests
import yaml

from stagegate.clients import http, process
from stagegate.errors import Stop
from stagegate.runner import log

Json = dict[str, Any]
_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LIMIT = 500  # objects in one response
_PAGES = 40


class ClusterAccess(msgspec.Struct, frozen=True, kw_only=True):
    """An API server with a login. `ca` and `certificate` (with `key`) are paths of PEM files."""

    server: str
    token: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""
    namespace: str = ""
    insecure: bool = False


class KubernetesApi:
    """The objects of a cluster that one account may read."""

    def __init__(self, access: ClusterAccess) -> None:
        if access.token:
            log.mask(access.token)
        self._access = access
        self._session = http.session(retries=0)  # the waiting caller decides about retries
        if access.token:
            self._session.headers["Authorization"] = f"Bearer {access.token}"

    @property
    def namespace(self) -> str:
        """The namespace of the kubeconfig's context or of the pod; `default` where none is named."""
        return self._access.namespace or "default"

    def get(self, path: str) -> Json | None:
        """One object, or None where there is none. Stop for everything else."""
        response = self._send(path, {})
        if response.status_code == 404 and _is_status(response):
            return None
        return _document(self._refuse(response, path), path)

    def objects(self, path: str, selector: str = "") -> list[Json]:
        """Every object below a path, however many answers that takes."""
        documents: list[Json] = []
        more = ""
        for _ in range(_PAGES):
            query = {"limit": str(_LIMIT), "labelSelector": selector, "continue": more}
            response = self._send(path, {key: value for key, value in query.items() if value})
            document = _document(self._refuse(response, path), path)
            documents += [item for item in document.get("items") or () if isinstance(item, dict)]
            more = str((document.get("metadata") or {}).get("continue") or "")
            if not more:
                return documents
        raise _odd(path, "more objects than are read", "Select fewer objects with `argocd.selector`.")

    def _send(self, path: str, query: Mapping[str, str]) -> requests.Response:
        access = self._access
        verify: str | bool = False if access.insecure else access.ca or True
        cert = (access.certificate, access.key) if access.certificate else None
        address = access.server.rstrip("/") + quote(path)
        return http.reach(
            _host(access.server),
            lambda: self._session.get(address, params=query, verify=verify, cert=cert, allow_redirects=False),
        )

    def _refuse(self, response: requests.Response, path: str) -> requests.Response:
        status, host = response.status_code, _host(self._access.server)
        if status == 200:
            return response
        reported = f"It reported: {_said(response)}."
        if status == 401:
            raise Stop(
                "token-expired",
                f"The API server at {host} does not accept the credentials.",
                reported,
                "Renew the kubeconfig (or the service account token) of this job.",
            )
        if status == 403:
            raise Stop(
                "missing-permission",
                f"The API server at {host} does not show {path}.",
                reported,
                "Give the service account `get` and `list` on deployments, statefulsets, daemonsets, jobs, "
                "cronjobs "
                "and pods.",
            )
        reason = "rate-limited" if status == 429 else "server-error" if status >= 500 else "unknown-state"
        raise Stop(
            reason, f"The API server at {host} returned {status} for {path}.", reported, "Run the job again."
        )


def access(environ: Mapping[str, str] = os.environ) -> ClusterAccess:
    """From `KUBECONFIG` (the first file that exists), `~/.kube/config`, or the pod. Stop(bad-settings) for none."""
    listed = [Path(path) for path in environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    files = listed or [Path(environ.get("HOME", "/")) / ".kube" / "config"]
    file = next((path for path in files if path.is_file()), None)
    if file is not None:
        return from_kubeconfig(file)
    if environ.get("KUBERNETES_SERVICE_HOST") and (_POD / "token").is_file():
        return _of_pod(environ, _POD)
    raise Stop(
        "empty-secret",
        "There is no kubeconfig.",
        "`argocd.source: kubernetes` reads from the API server of the cluster, but this job has "
        "neither a kubeconfig nor the token of a pod.",
        "Set KUBECONFIG in a step before this one, or run the job on a runner in the cluster.",
    )


def from_kubeconfig(file: Path) -> ClusterAccess:
    """The current context of a kubeconfig. Stop(bad-settings) when it is incomplete."""
    try:
        config = yaml.safe_load(file.read_text())
        name = config["current-context"]
        context = _named(config, "contexts", name)["context"]
        cluster = _named(config, "clusters", context["cluster"])["cluster"]
        user = _named(config, "users", context["user"])["user"] if context.get("user") else {}
        server = str(cluster["server"])
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
        raise Stop(
            "bad-settings",
            "The kubeconfig of this job cannot be used.",
            "The current context of the kubeconfig, or the cluster or user of this context, is "
            f"missing ({type(error).__name__}).",
            "Write a kubeconfig with `current-context`, as `kubectl config view --minify --flatten` prints it.",
        ) from error
    certificate = _file(user, "client-certificate", file)
    return ClusterAccess(
        server=server,
        token=_token(user, file) or ("" if certificate else _token_of_command(user, file)),
        ca=_file(cluster, "certificate-authority", file),
        certificate=certificate,
        key=_file(user, "client-key", file),
        namespace=str(context.get("namespace") or ""),
        insecure=cluster.get("insecure-skip-tls-verify") is True,
    )


def _named(config: Json, kind: str, name: str) -> Json:
    entry: Json = {item["name"]: item for item in config[kind]}[name]
    return entry


def _token(user: Json, beside: Path) -> str:
    if user.get("tokenFile"):
        return (beside.parent / str(user["tokenFile"])).read_text().strip()
    return str(user.get("token") or "")


def _token_of_command(user: Json, beside: Path) -> str:
    """The token that the kubeconfig's own command prints, as `kubectl` would run it."""
    command = user.get("exec")
    if not isinstance(command, dict):
        return ""
    version = str(command.get("apiVersion") or "client.authentication.k8s.io/v1")
    credential_request = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    variables = {str(item["name"]): str(item["value"]) for item in command.get("env") or ()}
    argv = (str(command.get("command")), *(str(item) for item in command.get("args") or ()))
    try:
        completed = process.run(
            *argv,
            cwd=beside.parent,
            env={**os.environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(credential_request)},
        )
        return str(json.loads(completed.text)["status"]["token"])
    except (process.ProgramFailed, ValueError, LookupError, TypeError) as error:
        raise Stop(
            "missing-permission",
            f"The command {argv[0]} of the kubeconfig returned no token.",
            f"{log.redact(str(error))[:300]}.",
            "Run the command by hand in this job to see its output.",
        ) from error


def _file(part: Json, key: str, beside: Path) -> str:
    """The path of a PEM file: the named one, or a file with the base64 content of the kubeconfig."""
    if part.get(f"{key}-data"):
        folder = os.environ.get("RUNNER_TEMP") or None
        with tempfile.NamedTemporaryFile("wb", suffix=".pem", dir=folder, delete=False) as file:
            file.write(base64.b64decode(str(part[f"{key}-data"])))
        return file.name
    return str(beside.parent / str(part[key])) if part.get(key) else ""


def _of_pod(environ: Mapping[str, str], folder: Path) -> ClusterAccess:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    place = f"[{host}]" if ":" in host else host
    namespace = folder / "namespace"
    return ClusterAccess(
        server=f"https://{place}:{port}",
        token=(folder / "token").read_text().strip(),
        ca=str(folder / "ca.crt"),
        namespace=namespace.read_text().strip() if namespace.is_file() else "",
    )


def _host(server: str) -> str:
    return server.split("://", 1)[-1].split("/", 1)[0]


def _is_status(response: requests.Response) -> bool:
    try:
        return bool(response.json().get("kind") == "Status")
    except (ValueError, AttributeError):
        return False


def _document(response: requests.Response, path: str) -> Json:
    try:
        document = response.json()
    except ValueError as error:
        raise _odd(
            path, "a response that is not JSON", "Check that the address is the address of the API server."
        ) from error
    if not isinstance(document, dict):
        raise _odd(
            path, "JSON that is not an object", "Check that the address is the address of the API server."
        )
    return document


def _odd(path: str, what: str, next_step: str) -> Stop:
    return Stop(
        "unknown-state",
        f"{path} returned {what}.",
        "The state of the workloads is therefore unknown.",
        next_step,
    )


def _said(response: requests.Response) -> str:
    try:
        message = response.json().get("message")
    except (ValueError, AttributeError):
        message = None
    return log.redact(" ".join(str(message or f"HTTP {response.status_code}").split()))[:200].rstrip(".")
