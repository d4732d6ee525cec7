"""The request to a gate: the inputs of staging-gate as one value."""

from __future__ import annotations

import msgspec

from stagegate.gate.verdict import Mode


class GateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the gate. `version` empty: the one that the pins name.

    The Argo CD fields are address, token, further headers and certificate as the GitHub Environment has them;
    `app_id` and `app_key` belong to the App that writes.
    """

    environment: str
    version: str = ""
    mode: Mode = "wait"
    reason: str = ""
    timeout: str = ""
    argocd_server: str = ""
    argocd_token: str = ""
    argocd_headers: str = ""
    argocd_ca: str = ""
    junit: str = ""
    again: bool = False
    dry_run: bool = False
    fail_on_waiting: bool = False
    app_id: str = ""
    app_key: str = ""

    @property
    def judges(self) -> bool:
        """Whether this run may come to a verdict on a roll-out."""
        return self.mode == "wait"
