"""Turns a registry's refusal into a Stop with a reason and a next step. A refusal never means "absent"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests


from stagegate.clients.registry.reference import Reference
from stagegate.errors import Stop
from stagegate.runner import log

_ABSENT = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"})  # NOT_FOUND is Harbor's word
_IMMUTABLE = ("immutable", "ImageTagAlreadyExists")  # Harbor 412, ECR 400
_REFUSED_TAG = (
    "Change the rule of the registry that refuses this request, such as a rule for the names of "
    "tags. docs/registries.md lists the tags that stagegate writes."
)
_LOST = frozenset(
    {
        "BLOB_UPLOAD_UNKNOWN",
        "BLOB_UPLOAD_INVALID",
        "BLOB_UNKNOWN",
        "MANIFEST_BLOB_UNKNOWN",
        "DIGEST_INVALID",
        "SIZE_INVALID",
    }
)
_KIND = frozenset({"MANIFEST_INVALID", "UNSUPPORTED"})
_REFUSED_KIND = (
    "Use a registry that stores this kind of artifact. Helm charts are OCI artifacts; docs/registries.md lists all "
    "that is written."
)
_GHCR_LINK = (
    "On GitHub, open the package, go to Package settings > Manage Actions access, and give this repository the "
    "role Write (or connect the package to the repository); the job needs `permissions: packages: write`."
)


class Transient(Stop):
    """An error that may disappear when the whole push is repeated."""


class RegistryRefusal:
    """A response of 400 or more (or one that makes no sense), read once and bounded."""

    def __init__(self, response: requests.Response, body: bytes) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.codes, self.text = _errors(body)

    def stop(self, target: Reference, doing: str, *, login: str = "") -> Stop:
        """The Stop for this response. `doing` is the attempted operation, `login` its user."""
        what = f"{target.host} refuses {doing} {target}."
        why = f"The registry returned {self.status}{f': {self.text}' if self.text else ''}."
        if any(word in self.text for word in _IMMUTABLE):
            return Stop(
                "version-taken", what, why, "Publish a new version; this registry never changes a tag."
            )
        if "push" in doing and self._full:
            return Stop(
                "server-error", what, why, "Delete what nobody needs from the registry, or raise its quota."
            )
        if self.status in (401, 403):
            wrong = self.status == 401 and bool(login) and not self._unlinked
            permission = _permission(target, login, write="push" in doing, linked=self._unlinked)
            next_step = (
                f"Check registry-username ({login}) and registry-password. {permission}"
                if wrong
                else permission
            )
            if self._unknown and "push" in doing:
                next_step = f"{_missing(target)} If it exists: {next_step[:1].lower()}{next_step[1:]}"
            kind = Stop if self.status == 401 or self._unlinked else Transient
            return kind("missing-permission", what, why, next_step)
        if self.status == 429:
            wait = self.headers.get("Retry-After", "")
            after = (
                f"Run the job again after {wait} seconds." if wait.isdigit() else "Run the job again later."
            )
            return Transient("rate-limited", what, why, after)
        if "push" in doing and self.codes & _LOST:
            return Transient("server-error", what, why, "Run again; the registry lost a part of the upload.")
        if self.status >= 500 or self.status == 408:
            return Transient(
                "server-error",
                what,
                why,
                "Run the job again when the registry works. stagegate changed nothing.",
            )
        return self._lasting(target, what, why, pushing="push" in doing)

    def _lasting(self, target: Reference, what: str, why: str, *, pushing: bool) -> Stop:
        """The Stop for a refusal that the same request would meet again."""
        if self.status == 404 and self.codes & _ABSENT and pushing:
            return Stop("missing-permission", what, why, _missing(target))
        if self.status == 405:
            return Stop(
                "server-error", what, why, "Run the job again when the registry is no longer read-only."
            )
        if self.status == 413:
            return Stop(
                "bad-input", what, why, "Make the artifact smaller, or raise the limit of the registry."
            )
        if "NAME_INVALID" in self.codes:
            return Stop(
                "bad-input", what, why, f"Use a name that {target.host} accepts instead of {target.path}."
            )
        if self.codes and pushing:  # it is a registry, and reports what it does not accept
            return Stop("unknown-state", what, why, _REFUSED_KIND if self.codes & _KIND else _REFUSED_TAG)
        if self.codes:
            return Stop("unknown-state", what, why, "Correct the reference.")
        return Stop(
            "unknown-state", what, why, "Check that the host of the reference is a container registry."
        )

    @property
    def _unlinked(self) -> bool:
        return "write_package" in self.text or "permission_denied" in self.text

    @property
    def _unknown(self) -> bool:
        """Whether a refused login may mean a repository or project that does not exist."""
        return "not found" in self.text or "not exist" in self.text

    @property
    def _full(self) -> bool:
        """Whether the registry's storage is used up: 507, and 403 or 412 of Harbor."""
        words = self.text.lower()
        named = "quota" in words or ("exceed" in words and "rate" not in words)
        return self.status == 507 or (self.status in (403, 412) and named)


def absent(response: requests.Response, body: bytes) -> bool:
    """Whether the registry itself reports that there is no such manifest, tag or repository: not just any 404."""
    return response.status_code == 404 and bool(_errors(body)[0] & _ABSENT)


def _missing(target: Reference) -> str:
    return (
        f"Create the repository {target.path} on {target.host} first (Amazon ECR and others require it; Harbor "
        "requires its project)."
    )


def _permission(target: Reference, login: str, *, write: bool, linked: bool) -> str:
    if linked or (target.host == "ghcr.io" and login):
        return _GHCR_LINK
    if not login:
        return (
            "Set `registry-username` and `registry-password`, or log in with `docker login` in a step "
            "before this one."
        )
    permission = "push" if write else "pull"
    return f"Give {login} the permission to {permission} there, or use another login."


def _errors(body: bytes) -> tuple[frozenset[str], str]:
    """Codes and text of the distribution protocol's error document; other bodies have neither."""
    try:
        listed = json.loads(body)["errors"]
        codes = frozenset(str(error.get("code", "")) for error in listed)
        text = "; ".join(f"{error.get('code', '')} {error.get('message', '')}".strip() for error in listed)
    except (ValueError, LookupError, TypeError, AttributeError):
        return frozenset(), ""
    return codes, log.redact(" ".join(text.split()))[:300]
