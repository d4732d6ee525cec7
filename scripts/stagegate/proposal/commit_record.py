"""What our commits record in their trailers: the release they bring, and who answers for the change."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stagegate.clients import hub
from stagegate.markdown import plain
from stagegate.model import RuleResult, trailers

_CLASS = re.compile(r"[a-z]+(?:-[a-z]+)*")


def release(app: str, version: str, environment: str, run: str, risks: Iterable[str] = ()) -> str:
    """The trailers of a commit of ours, as text; `risks` are those that others cannot see."""
    values = {
        trailers.APP: app,
        trailers.VERSION: version,
        trailers.ENVIRONMENT: environment,
        trailers.RUN: run or "local",
    }
    return trailers.written(values | ({trailers.RISK: ", ".join(risks)} if risks else {}))


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
    values = {
        trailers.PROPOSED_BY: proposed_by,
        trailers.APPROVED_BY: ", ".join(approved_by),
        trailers.MERGED_BY: merged_by,
        trailers.RULES: "; ".join(filter(None, (f"pass {' '.join(passed)}" if passed else "", *others))),
        trailers.OVERRIDDEN: "; ".join(f"{one.rule} by {one.override}" for one in judged if one.override),
        trailers.POLICY: policy,
    }
    return trailers.written({name: _line(value) for name, value in values.items() if value})


def _line(text: str) -> str:
    """Foreign text as one harmless line."""
    return " ".join(plain(text).split())[:300]


def risks(commits: Iterable[hub.Commit], app: str, environment: str) -> frozenset[str]:
    """The classes of risk that commits say they have. Anybody can say so: it only adds."""
    named = (
        commit.trailers.get(trailers.RISK, "")
        for commit in commits
        if trailers.is_of(commit.trailers, app, environment)
    )
    return frozenset(kind for one in named for kind in one.split(", ") if _CLASS.fullmatch(kind))
