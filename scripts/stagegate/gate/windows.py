"""Argo CD's sync windows. Pure."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def window_is_shut(windows: Json) -> bool:
    """Whether sync windows forbid an automatic sync now: a deny window is active, or no allow window is.

    `canSync` tells of a sync by hand and is not asked.
    """
    active, assigned = (
        {w.get("kind") for w in windows.get(key) or () if isinstance(w, dict)}
        for key in ("activeWindows", "assignedWindows")
    )
    return "deny" in active or ("allow" in assigned and "allow" not in active)
