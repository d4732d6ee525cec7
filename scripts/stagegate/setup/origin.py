"""Where this copy of stagegate comes from, as workflows name it."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path

import stagegate
from stagegate.clients import git

EXAMPLE = "acme/stagegate"


def uses() -> str:
    """`owner/name@commit` of the package or clone that runs, with an example's name where nothing tells it."""
    return _installed() or _cloned() or f"{EXAMPLE}@v{stagegate.__version__}"


def _installed() -> str:
    """From what pip and uv record about a package that was installed from Git (PEP 610)."""
    try:
        text = metadata.distribution("stagegate").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return ""
    recorded = json.loads(text or "{}")
    commit = str((recorded.get("vcs_info") or {}).get("commit_id") or "")
    name = git.repository_of(str(recorded.get("url") or ""))
    return f"{name}@{commit}" if name and commit else ""


def _cloned() -> str:
    """From the clone that this file is in; nothing where it has no address or the file belongs to another clone."""
    home = Path(__file__).resolve().parents[3]
    if not (home / "scripts" / "run").is_file():
        return ""
    name = git.origin(home)
    commit = git.said(home, "rev-parse", "--verify", "--quiet", "HEAD")
    return f"{name}@{commit}" if name and re.fullmatch(r"[0-9a-f]{40}", commit) else ""
