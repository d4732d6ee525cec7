"""Names and trailers of a promotion: its branch, the helper it is made on, what its commits say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from stagegate.clients import hub
from stagegate.markdown import plain
from stagegate.model import RuleResult

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


def provenance(
    rules: Iterable[RuleResult],
    *,
    proposed_by: str,
    policy: str,
    approved_by: Iterable[str] = (),
    merged_by: str = "",
) -> str:
    """Trailers that name who answers for a change, and the rules as they stood, for an audit and for evidence."""
    judged = tuple(rules)
    passed = [one.rule for one in judged if one.state == "pass" and not one.override]
    others = [f"{one.rule} {one.state}" for one in judged if one.state != "pass"]
    lines = {
        "Proposed-By": proposed_by,
        "Approved-By": ", ".join(approved_by),
        "Merged-By": merged_by,
        "Rules": "; ".join(filter(None, (f"pass {' '.join(passed)}" if passed else "", *others))),
        "Overridden": "; ".join(f"{one.rule} by {one.override}" for one in judged if one.override),
        "Policy": policy,
    }
    return "\n".join(f"Stagegate-{key}: {_line(value)}" for key, value in lines.items() if value)


def _line(text: str) -> str:
    """Foreign text as one harmless line."""
    return " ".join(plain(text).split())[:300]


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
