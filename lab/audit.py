"""Checks the locked libraries against the public advisories (pip-audit), and reports if that is not possible."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "scripts" / "requirements.txt"
SECONDS = 120


def main() -> int:
    """0 without a known advisory, or if the check was not possible; 1 with one."""
    answered = look_up(LOCK)
    if answered is None:
        print("audit: the advisories cannot be reached, so the lock was not checked.")
        return 0
    bad = [f"{name} {version}: {', '.join(ids)}" for name, version, ids in answered if ids]
    print("\n".join(bad) if bad else f"audit: there is no advisory for {len(answered)} locked libraries.")
    return 1 if bad else 0


def look_up(lock: Path) -> list[tuple[str, str, list[str]]] | None:
    """(name, version, advisory ids) of every library with an advisory; None when the check was not possible."""
    flags = (
        "--disable-pip",
        "--require-hashes",
        "--progress-spinner",
        "off",
        "--timeout",
        "10",
        "-f",
        "json",
    )
    command = [sys.executable, "-m", "pip_audit", *flags, "-r", str(lock)]
    try:
        completed = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        listed: list[Any] = json.loads(completed.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    packages = [package for package in listed if "skip_reason" not in package]
    return [
        (package["name"], package["version"], [v["id"] for v in package["vulns"]]) for package in packages
    ] or None


if __name__ == "__main__":
    sys.exit(main())
