"""`helm dependency build`: fetches the charts that a chart depends on."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stagegate.clients import helm, process
from stagegate.errors import Stop
from stagegate.patterns import pattern

if TYPE_CHECKING:  # registry clients are loaded only to fetch charts
    from stagegate.clients.registry.credentials import Credentials

_FETCH_SECONDS = 300.0
_UNREACHABLE = pattern(
    r"dial tcp|no such host|connection refused|i/o timeout|network is unreachable|TLS handshake timeout"
    r"|connection reset|context deadline exceeded|50[0234] (?:Internal|Bad|Service|Gateway)"
)


def build(chart: Path, logins: Mapping[str, Credentials] | None = None) -> None:
    """`helm dependency build`: fetch what Chart.lock names into the chart's `charts/`. Stop(findings).

    `logins` by registry host are given to helm in a private file that is removed afterwards; registries
    without one use docker's configuration. HTTP repositories of the lock are made known to helm first.
    """
    helm.version()
    with tempfile.TemporaryDirectory(dir=helm.private_home()) as private:
        env = helm.environment(Path(private))
        auths = {h: {"auth": c.basic.removeprefix("Basic ")} for h, c in (logins or {}).items() if c.password}
        if auths:
            config = Path(env["HELM_REGISTRY_CONFIG"])
            config.touch(mode=0o600)
            config.write_text(json.dumps({"auths": auths}), encoding="utf-8")
        for number, url in enumerate(_repositories(chart)):
            added = process.run(
                "helm", "repo", "add", "--", f"r{number}", url, env=env, timeout=_FETCH_SECONDS, check=False
            )
            if added.code:
                raise _fetching(f"The chart repository {url} cannot be used.", added)
        completed = process.run(
            "helm", "dependency", "build", "--", str(chart), env=env, timeout=_FETCH_SECONDS, check=False
        )
    if completed.code:
        raise _fetching(f"The dependencies of chart {chart.name} cannot be fetched.", completed)


def _fetching(what: str, completed: process.Completed) -> Stop:
    """Stop(unreachable) where the network or the server failed, else Stop(findings)."""
    if not _UNREACHABLE.search(completed.errors):
        return helm.failed(what, completed)
    return Stop(
        "unreachable",
        what,
        f"helm reported: {helm.explanation(completed)}.",
        "Run the job again when the server can be reached.",
    )


def _repositories(chart: Path) -> list[str]:
    """The HTTP repositories in Chart.lock, which helm has to know before it fetches from them."""
    lock = chart / "Chart.lock"
    text = lock.read_text(encoding="utf-8", errors="replace") if lock.is_file() else ""
    return sorted(set(re.findall(r"^\s*(?:- )?repository:\s*[\"']?(https?://[^\s\"']+)", text, re.MULTILINE)))
