"""What a run of pin-guard says: the verdict of every head, its rules, and the rendered difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from stagegate.errors import Stop
from stagegate.guard.heads import Head
from stagegate.guard.judge import AppJudged
from stagegate.model import Calls, Change, Message, Result, RuleResult
from stagegate.policy.decide import PinsStatus
from stagegate.promotion.evaluate import Judged
from stagegate.proposal import body as text
from stagegate.report.render import render


class HeadJudged(msgspec.Struct, frozen=True, kw_only=True):
    """A head, its verdict, what it rests on, and the status as written."""

    head: Head
    verdict: PinsStatus
    apps: tuple[AppJudged, ...]
    changes: tuple[Change, ...]


def result(seen: Sequence[HeadJudged], now: datetime, *, run_url: str, dry_run: bool, calls: Calls) -> Result:
    """The result of judging. A status written is what was asked for, whatever it says; trouble stays trouble."""
    stop = next((app.stop for one in seen for app in one.apps if app.stop), None)
    unknown = any(one.verdict.state == "error" for one in seen)
    reason = stop.reason if stop else "unknown-state" if unknown else "planned" if dry_run else "reported"
    worst = next(
        (s for s in ("error", "failure", "pending") if any(o.verdict.state == s for o in seen)), "success"
    )
    apps = dict.fromkeys(app.app for one in seen for app in one.apps)
    return Result(
        reason=reason if seen else "no-difference",
        message=_message(seen, stop),
        outputs={
            "state": worst if seen else "",
            "next-at": min((o.verdict.next_at for o in seen if o.verdict.next_at), default=""),
        },
        summary=render("pin_guard.md.j2", seen=seen, message=_message(seen, stop))
        + _details(seen, now, run_url),
        app=next(iter(apps)) if len(apps) == 1 else "",
        dry_run=dry_run,
        trust=next((judged.facts.trust for one in seen for judged in _environments(one)), None),
        changes=tuple(change for one in seen for change in one.changes),
        rules=tuple(_rules(seen)),
        calls=calls,
    )


def _message(seen: Sequence[HeadJudged], stop: Stop | None) -> Message:
    if not seen:
        return Message(
            what="There is nothing to judge.",
            why="Only open pull requests that lead to the default branch have the status stagegate/pins.",
        )
    said = "; ".join(f"{one.head.name} is {one.verdict.state}: {one.verdict.description}" for one in seen[:5])
    more = f" and {len(seen) - 5} more" if len(seen) > 5 else ""
    return Message(what=f"stagegate/pins of {said}{more}.", next=stop.next if stop else "")


def _rules(seen: Sequence[HeadJudged]) -> Iterator[RuleResult]:
    for one in seen:
        for judged in _environments(one):
            yield from judged.rules


def _environments(one: HeadJudged) -> Iterator[Judged]:
    for app in one.apps:
        yield from app.environments


def _details(seen: Sequence[HeadJudged], now: datetime, run_url: str) -> str:
    """The same account as a promotion's pull request gives, for every environment touched."""
    parts = []
    for one in seen:
        for judged in _environments(one):
            facts, subject = judged.facts, judged.subject
            title = text.title(facts.app, subject.environment, subject.before, subject.version, subject.kind)
            said = text.account(facts, subject, judged.rules, judged.difference, now=now, run_url=run_url)
            body = text.body(said)
            parts.append(f"\n### {title} ({one.head.name})\n\n{body.text}{body.rest}")
    return "".join(parts)
