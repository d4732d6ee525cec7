"""Names and trailers of a promotion: its branch, the helper it is made on, what its commits say of themselves."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.report.markdown import plain

STATUS = "stagegate/pins"


def promotion(app: str, environment: str) -> str:
    """The branch of the one open promotion of an app into an environment."""
    return f"stagegate/promote/{app}/{environment}"


def rollback(app: str, environment: str) -> str:
    """The branch of a rollback."""
    return f"stagegate/rollback/{app}/{environment}"


def helper(app: str, environment: str) -> str:
    """Where the next commit of a branch is made before the branch moves to it."""
    return f"stagegate/next/{app}/{environment}"


def trailers(app: str, version: str, environment: str, run: str) -> str:
    """The trailers of a commit of ours, as text."""
    lines = {"App": app, "Version": version, "Environment": environment, "Run": run or "local"}
    return "\n".join(f"Stagegate-{key}: {value}" for key, value in lines.items())


def is_ours(trailers: Mapping[str, str], app: str, environment: str) -> bool:
    """Whether a commit's trailers say that stagegate made it for this app and environment."""
    return (trailers.get("Stagegate-App"), trailers.get("Stagegate-Environment")) == (app, environment)


def message(text: str) -> str:
    """Text for a commit message, unable to close issues or skip workflows."""
    return plain(text)
