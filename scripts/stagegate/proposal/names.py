"""Names and trailers of a promotion: its branch, the helper it is made on, what its commits say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from stagegate.clients import hub

STATUS = "stagegate/pins"
_CLASS = re.compile(r"[a-z]+(?:-[a-z]+)*")


def promotion(app: str, environment: str) -> str:
    """The branch of the one open promotion of an app into an environment."""
    return f"stagegate/promote/{app}/{environment}"


def rollback(app: str, environment: str) -> str:
    """The branch of a rollback."""
    return f"stagegate/rollback/{app}/{environment}"


def both(app: str, environment: str) -> tuple[str, str]:
    """The branches of the promotion and of the rollback."""
    return promotion(app, environment), rollback(app, environment)


def helper(app: str, environment: str) -> str:
    """Where the next commit of a branch is made before the branch moves to it."""
    return f"stagegate/next/{app}/{environment}"


def trailers(app: str, version: str, environment: str, run: str, risks: Iterable[str] = ()) -> str:
    """The trailers of a commit of ours, as text; `risks` are those that others cannot see."""
    lines = {"App": app, "Version": version, "Environment": environment, "Run": run or "local"}
    lines |= {"Risk": ", ".join(risks)} if risks else {}
    return "\n".join(f"Stagegate-{key}: {value}" for key, value in lines.items())


def is_ours(trailers: Mapping[str, str], app: str, environment: str) -> bool:
    """Whether a commit's trailers say that stagegate made it for this app and environment."""
    return (trailers.get("Stagegate-App"), trailers.get("Stagegate-Environment")) == (app, environment)


def risks(commits: Iterable[hub.Commit], app: str, environment: str) -> frozenset[str]:
    """The classes of risk that commits say they have. Anybody can say so: it only adds."""
    named = (
        commit.trailers.get("Stagegate-Risk", "")
        for commit in commits
        if is_ours(commit.trailers, app, environment)
    )
    return frozenset(kind for one in named for kind in one.split(", ") if _CLASS.fullmatch(kind))
