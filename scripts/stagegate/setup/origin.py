"""Finds the address and revision of this copy of stagegate, for `uses:` in workflows."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

import stagegate
from stagegate.clients import git

EXAMPLE = "acme/stagegate"


def uses() -> str:
    """`owner/name@commit` of the running package or clone; an example if that is unknown."""
    return _installed() or _cloned() or f"{EXAMPLE}@v{stagegate.__version__}"


def _installed() -> str:
    """From the record of pip and uv for a package that was installed from Git (PEP 610)."""
    try:
        text = metadata.distribution("stagegate").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return ""
    recorded = json.loads(text or "{}")
    commit = str((recorded.get("vcs_info") or {}).get("commit_id") or "")
    name = git.repository_of(str(recorded.get("url") or ""))
    return f"{name}@{commit}" if name and commit else ""


def _cloned() -> str:
    """From the clone with this file; nothing if the clone has no address or does not track the file."""
    home = Path(__file__).resolve().parents[3]
    if not (home / "scripts" / "run").is_file():
        return ""
    name = git.origin(home)
    commit = git.output(home, "rev-parse", "--verify", "--quiet", "HEAD")
    return f"{name}@{commit}" if name and re.fullmatch(r"[0-9a-f]{40}", commit) else ""
