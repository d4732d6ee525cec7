"""Verifies attestations of artifacts with GitHub's `gh`, else with Sigstore's `cosign`."""

from __future__ import annotations

import shutil
from typing import Literal

import msgspec

from stagegate.clients import process
from stagegate.errors import Stop

PREDICATES = {
    "slsa-provenance": "https://slsa.dev/provenance/v1",
    "spdx": "https://spdx.dev/Document",
    "cyclonedx": "https://cyclonedx.org/bom",
    "vuln": "https://cosign.sigstore.dev/attestation/vuln/v1",
}
_ISSUER = "https://token.actions.githubusercontent.com"
_TIMEOUT = 60


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A tool's result: `verified`, or `unknown` with the reason. No tool distinguishes forged from missing."""

    state: Literal["verified", "unknown"]
    detail: str


def verify(image: str, digest: str, predicate: str, repository: str, server_url: str, token: str) -> Verified:
    """Whether an artifact of the registry has an attestation of this type, made by a workflow of `repository`.

    `predicate` is one of the short names, or the address of a predicate type.
    """
    kind = PREDICATES.get(predicate, predicate)
    host = server_url.partition("://")[2]
    if shutil.which("gh"):
        tool = "gh"
        words = ["gh", "attestation", "verify", f"oci://{image}@{digest}", "--repo", repository]
        words += ["--predicate-type", kind]
        environment = {"GH_TOKEN": token, "GH_HOST": host, "GH_PROMPT_DISABLED": "1"}
    elif shutil.which("cosign"):
        tool = "cosign"
        words = ["cosign", "verify-attestation", f"{image}@{digest}", "--type", kind]
        words += ["--certificate-oidc-issuer", _ISSUER]
        words += ["--certificate-identity-regexp", f"^{server_url}/{repository}/.github/workflows/"]
        environment = {}
    else:
        return Verified(
            state="unknown",
            detail="neither gh nor cosign is installed, so the attestation cannot be verified",
        )
    try:
        completed = process.run(*words, env=environment, timeout=_TIMEOUT, secrets=(token,), check=False)
    except Stop as stop:
        return Verified(state="unknown", detail=f"{stop.what} {stop.why}")
    if completed.code:
        explanation = next(
            (line.strip() for line in reversed(completed.errors.splitlines()) if line.strip()),
            "no reason given",
        )
        return Verified(
            state="unknown", detail=f"{tool} could not verify the attestation: {explanation[:200]}"
        )
    return Verified(state="verified", detail=f"verified by {tool}")
