"""The step of promote-pr as tests run it."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.actions import promote_pr as action
from stagegate.runner.boundary import entrypoint


def promote_pr(environ: Mapping[str, str]) -> int:
    """One step of promote-pr with this environment; its exit code."""
    return entrypoint("promote-pr", action.PromotePr, action.main, argv=[], environ=environ)
