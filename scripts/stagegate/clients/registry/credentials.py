"""Finds logins for registries: those of the inputs, else docker's configuration and its credential helpers.

Source of the file format: https://docs.docker.com/reference/cli/docker/login/#credential-stores
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from stagegate.clients import process
from stagegate.clients.registry.reference import HUB
from stagegate.errors import Stop
from stagegate.runner import log

_HELPER_SECONDS = 30.0
_IDENTITY = "<token>"  # the user name with which a helper returns a refresh token


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """A user and password, or a refresh token (`identity`); all empty: anonymous."""

    username: str = ""
    password: str = ""
    identity: str = ""

    @property
    def known(self) -> bool:
        """False for anonymous access, which reads only public artifacts."""
        return bool(self.password or self.identity)

    @property
    def basic(self) -> str:
        """The `Authorization` header of a Basic login, masked, because a server may repeat it in an error."""
        login = f"{self.username}:{self.password}"
        encoded = base64.b64encode(login.encode()).decode()
        log.mask(login, encoded)
        return f"Basic {encoded}"


def given(username: str, password: str) -> Credentials | None:
    """The login of the inputs, or None when none was given. Stop(empty-secret) for half of one."""
    if not username and not password:
        return None
    if not password:
        raise Stop(
            "empty-secret",
            "The input `registry-username` is set, but `registry-password` is empty.",
            "A secret that does not exist has an empty value.",
            "Check the name of the secret, or leave both inputs empty to use docker's own configuration.",
        )
    log.mask(password)
    return Credentials(username=username or "token", password=password)


def for_hosts(hosts: Iterable[str], username: str, password: str) -> dict[str, Credentials]:
    """The login of the inputs for each of our registries that gets it. Stop(empty-secret)."""
    login = given(username, password)
    return {host: login for host in hosts if login and _may_have(host, login)}


def lookup(username: str, password: str) -> Callable[[str], Credentials]:
    """The login for a host: that of the inputs, else the one that docker would use. Stop(empty-secret)."""
    login = given(username, password)
    return lambda host: login if login and _may_have(host, login) else from_docker(host)


def _may_have(host: str, login: Credentials) -> bool:
    """Whether a registry may get a login.

    Workflows pass the job's GITHUB_TOKEN where nothing else is given. It is only for GitHub's own registries
    (`containers.` is that of GitHub Enterprise Server).
    """
    is_github = host in ("ghcr.io", "docker.pkg.github.com") or host.startswith("containers.")
    return is_github or not login.password.startswith("ghs_")


def from_docker(host: str, environ: Mapping[str, str] = os.environ) -> Credentials:
    """Docker's login for a host: `credHelpers`, `credsStore`, then `auths`; else anonymous."""
    folder = environ.get("DOCKER_CONFIG") or str(Path(environ.get("HOME") or "~").expanduser() / ".docker")
    config = _document(Path(folder) / "config.json")
    names = [host] if host != HUB else ["https://index.docker.io/v1/", HUB, "registry-1.docker.io"]
    helpers = config.get("credHelpers") if isinstance(config.get("credHelpers"), dict) else {}
    for name in names:
        helper = (helpers or {}).get(name) or config.get("credsStore")
        stored = _ask(str(helper), name) if helper else None
        if stored is not None:
            return stored
    auths = config.get("auths") if isinstance(config.get("auths"), dict) else {}
    for key, entry in (auths or {}).items():
        if isinstance(entry, dict) and (key in names or _host(key) in names):
            stored = _entry(entry)
            if stored.known:
                return stored
    return Credentials()


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Stop(
            "bad-input",
            "docker's configuration cannot be read.",
            f"Reading {path.name} in DOCKER_CONFIG ended with the error {type(error).__name__}.",
            "Log in again, or pass registry-username and registry-password.",
        ) from error
    return document if isinstance(document, dict) else {}


def _host(key: str) -> str:
    return re.sub(r"^https?://", "", key).split("/", 1)[0]


def _entry(entry: Mapping[str, Any]) -> Credentials:
    """One entry of `auths`: base64 of user:password, or both in the open, or an identity token."""
    username, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    try:
        decoded = base64.b64decode(str(entry.get("auth") or "")).decode()
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    if ":" in decoded:
        username, _, password = decoded.partition(":")
    identity = str(entry.get("identitytoken") or "")
    log.mask(password.rstrip("\0"), identity)
    return Credentials(username=username, password=password.rstrip("\0"), identity=identity)


def _ask(helper: str, server: str) -> Credentials | None:
    """Run `docker-credential-<helper> get`; None when it has no login for the host."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", helper):
        raise Stop(
            "bad-input",
            f"docker's configuration names the credential helper {helper!r}.",
            "The name of a credential helper may contain only letters, digits, dots, dashes and underscores.",
            "Correct credHelpers or credsStore in config.json.",
        )
    program = f"docker-credential-{helper}"
    response = process.run(program, "get", input=server.encode(), timeout=_HELPER_SECONDS, check=False)
    if response.code:
        output = (response.text + response.errors).strip()
        if "not found" in output:
            return None
        raise Stop(
            "missing-permission",
            f"The credential helper {program} returned no credentials for {server}.",
            f"The helper ended with exit code {response.code}: {log.redact(output)[:200]}.",
            "Log in with the login action of the cloud provider in a step before this one.",
        )
    try:
        document = json.loads(response.stdout)
        username, secret = str(document["Username"]), str(document["Secret"])
    except (ValueError, LookupError, TypeError) as error:
        raise Stop(
            "unknown-state",
            f"The credential helper {program} did not return credentials.",
            "The helper must print JSON with Username and Secret.",
            "Update the credential helper, or pass registry-username and registry-password.",
        ) from error
    log.mask(secret)
    if username == _IDENTITY:
        return Credentials(identity=secret)
    return Credentials(username=username, password=secret)
