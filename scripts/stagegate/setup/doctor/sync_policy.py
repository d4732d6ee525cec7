"""How an Application gets to sync by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stagegate.argocd_app.sources import mapping

_AUTOMATED = "automated: {prune: true, selfHeal: true}"


def cure(spec: Mapping[str, Any], file: str, *, place: str = "spec") -> str:
    """The line that lets an Application with this `spec` sync by itself. `place` is its path in the file."""
    if mapping(spec.get("syncPolicy")):
        return f"Write `{_AUTOMATED}` under `{place}.syncPolicy` in {file}."
    return f"Write `syncPolicy: {{{_AUTOMATED}}}` under `{place}` in {file}."
