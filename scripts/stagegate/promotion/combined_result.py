"""Combines the results of several apps in one run: the worst one decides."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate.errors import VERDICTS, Stop
from stagegate.markdown import cell, neutral
from stagegate.model import Calls, Message, Result
from stagegate.promotion.result import OUTPUTS

_GOOD = {"done": 0, "waiting": 1, "nothing-to-do": 2}


def badness(reason: str) -> tuple[int, int]:
    """Sort key of a reason, the worst first: by exit code; of those with 0, done before waiting before nothing."""
    verdict = VERDICTS[reason]
    return -verdict.exit_code, _GOOD.get(verdict.outcome, 3)


def stopped(stop: Stop, app: str) -> Result:
    """The Stop of one app, as its result."""
    message = Message(what=stop.what, why=stop.why, next=stop.next)
    return Result(reason=stop.reason, message=message, outputs=dict.fromkeys(OUTPUTS, ""), app=app)


def one(results: Sequence[Result], calls: Calls) -> Result:
    """One result: reason and cure of the worst, and the messages, changes and findings of all.

    `calls` are those of the whole run, in which the apps share what is read.
    """
    if len(results) == 1:
        return results[0]
    worst = min(results, key=lambda result: badness(result.reason))
    outputs = {name: next(filter(None, (r.outputs[name] for r in results)), "") for name in OUTPUTS}
    outputs["changed"] = str(any(r.outputs["changed"] == "true" for r in results)).lower()
    outputs["next-at"] = min(filter(None, (r.outputs["next-at"] for r in results)), default="")
    return msgspec.structs.replace(
        worst,
        app="",
        outputs=outputs,
        message=Message(
            what=" ".join(f"{r.app}: {r.message.what}" for r in results),
            why=" ".join(f"{r.app}: {r.message.why}" for r in results if r.message.why),
            next=worst.message.next,
        ),
        summary="\n".join(map(_part, results)),
        fails=any(r.fails for r in results),
        changes=tuple(change for r in results for change in r.changes),
        rules=tuple(rule for r in results for rule in r.rules),
        findings=tuple(finding for r in results for finding in r.findings),
        calls=calls,
        parts=tuple(results),
    )


def _part(result: Result) -> str:
    """The section of one app, below the lines about all of them."""
    message = result.message
    sentence = " ".join(filter(None, (message.what, message.why, message.next)))
    return f"#### {cell(result.app)}: {result.reason}\n\n{neutral(sentence)}\n\n{result.summary}"
