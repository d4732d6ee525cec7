"""Repeats the checks for a while after they have passed, with as many failures as the settings allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from stagegate.argocd_app import status as documents
from stagegate.gate.expected import Expected
from stagegate.gate.following import Source
from stagegate.gate.look import classify
from stagegate.gate.order import Order
from stagegate.model import Check
from stagegate.settings import KeepChecking, seconds

NAME = "keep-checking"


def check(
    again: KeepChecking,
    scenarios: Callable[[float], tuple[Check, ...]],
    unwell: Callable[[], str],
    now: Callable[[], float],
    sleep: Callable[[float], None],
) -> Check:
    """One check for the whole time. It ends early when more rounds have gone wrong than are allowed."""
    began, errors, rounds, last = now(), 0, 0, ""
    end = began + seconds(again.for_)
    while (left := end - now()) > 0 and errors <= again.allowed_errors:
        sleep(min(seconds(again.every), left))
        rounds += 1
        bad = [c for c in scenarios(max(1.0, end - now())) if c.required and c.outcome != "passed"]
        if trouble := unwell() or (f"{bad[0].name}: {bad[0].detail}" if bad else ""):
            errors, last = errors + 1, trouble
    detail = f"{rounds} rounds, {errors} with errors ({again.allowed_errors} allowed)"
    detail += f"; last: {last}" if last else ""
    failed = errors > again.allowed_errors or not rounds
    return Check(
        name=NAME,
        outcome="failed" if failed else "passed",
        seconds=round(now() - began, 1),
        detail=detail,
    )


def unwell(source: Source, expected: Expected, order: Order) -> Callable[[Sequence[str]], str]:
    """A function that returns the current problem of Applications, or nothing."""

    def ask(names: Sequence[str]) -> str:
        for name in names:
            document = source.application(name)
            application, named = documents.read(document), order.named(document)
            revisions = {
                s.key: order.commit(s, application) for s in application.sources if s.is_git and s.revision
            }
            reason, detail = classify(
                application, msgspec.structs.replace(expected, commits=revisions, named=named)
            )
            if reason not in ("ready", "refreshing"):
                return f"{name}: {detail}"
        return ""

    return ask
