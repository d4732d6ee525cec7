"""Files that a step leaves for people: where an input asks for them, else in the runner's temporary folder."""

from __future__ import annotations

from pathlib import Path

from stagegate.runner import log
from stagegate.runner.context import Context


def place(context: Context, requested: str, name: str, *, what: str) -> Path | None:
    """Where a file goes: `requested` in the workspace, else `name` in the temporary folder; None where neither is.

    `what` names the input. Stop(bad-input) when the path leads out of the workspace.
    """
    if requested:
        return context.inside(requested, what=what)
    return Path(context.temp) / name if context.temp else None


def write(target: Path, text: str) -> None:
    """Write a text without secrets, and the folders above it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(log.redact(text).encode("utf-8", "replace"))
