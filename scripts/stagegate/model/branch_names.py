"""The names of stagegate's own branches, which are all below `stagegate/`."""

from __future__ import annotations

PREFIX = "stagegate/"
_PROMOTE, _ROLLBACK, _HOLD = f"{PREFIX}promote/", f"{PREFIX}rollback/", f"{PREFIX}hold/"


def promotion(app: str, environment: str) -> str:
    """The branch of the one open promotion of an app into an environment."""
    return f"{_PROMOTE}{app}/{environment}"


def rollback(app: str, environment: str) -> str:
    """The branch of a rollback."""
    return f"{_ROLLBACK}{app}/{environment}"


def both(app: str, environment: str) -> tuple[str, str]:
    """The branches of the promotion and of the rollback."""
    return promotion(app, environment), rollback(app, environment)


def is_promotion(branch: str) -> bool:
    """Whether a branch is that of a promotion."""
    return branch.startswith(_PROMOTE)


def is_rollback(branch: str) -> bool:
    """Whether a branch is that of a rollback."""
    return branch.startswith(_ROLLBACK)


def is_proposal(branch: str) -> bool:
    """Whether a branch is that of a promotion or a rollback."""
    return is_promotion(branch) or is_rollback(branch)


def release_pull(apps: str, base: str) -> str:
    """The branch of the release pull request into `base`; `apps` is the app's name, or `all`."""
    return f"{PREFIX}version/{apps}/{base}"


def helper(of: str) -> str:
    """Where the next commit of one of our branches is made before that branch moves to it."""
    return f"{PREFIX}next/{of.removeprefix(PREFIX)}"


def promotion_helper(app: str, environment: str) -> str:
    """As `helper`, for the promotion and the rollback."""
    return f"{PREFIX}next/{app}/{environment}"


def release_helper(apps: str, version: str, run: str) -> str:
    """Where the release commit is made before the base moves to it."""
    return f"{PREFIX}release/{apps}/{version}-{run}"


def hold(app: str, environment: str) -> str:
    """The branch of a hold; `app` may be `all`."""
    return f"{_HOLD}{app}/{environment}"


def is_hold(branch: str) -> bool:
    """Whether a branch is that of a hold."""
    return branch.startswith(_HOLD)


def ban(app: str, version: str) -> str:
    """The branch of a ban of one version."""
    return f"{PREFIX}ban/{app}/{version}"


def override(app: str, environment: str, version: str) -> str:
    """The branch of an override for one version in one environment."""
    return f"{PREFIX}override/{app}/{environment}/{version}"
