"""The result of pin-guard: the verdict of every head, its rules, and the rendered difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from stagegate.errors import Stop
from stagegate.guard.heads import Head
from stagegate.guard.judge import AppJudged
from stagegate.model import Calls, Change, Message, Result, RuleResult
from stagegate.policy.commit_status import PinsStatus
from stagegate.promotion.evaluate import Judged
from stagegate.proposal import body as text
from stagegate.proposal import page
from stagegate.proposal.body_values import BodyFacts
from stagegate.report.render import render
from stagegate.runner import artifact
from stagegate.runner.context import Context


class HeadJudged(msgspec.Struct, frozen=True, kw_only=True):
    """A head, its verdict, the judgement of each app, and the written status."""

    head: Head
    verdict: PinsStatus
    apps: tuple[AppJudged, ...]
    changes: tuple[Change, ...]


def result(
    judged_heads: Sequence[HeadJudged], now: datetime, *, run_url: str, dry_run: bool, calls: Calls
) -> Result:
    """The result of the run: a success when every status was written, with any verdict; else the first error."""
    stop = next((app.stop for judged_head in judged_heads for app in judged_head.apps if app.stop), None)
    unknown = any(judged_head.verdict.state == "error" for judged_head in judged_heads)
    reason = stop.reason if stop else "unknown-state" if unknown else "planned" if dry_run else "reported"
    worst = next(
        (s for s in ("error", "failure", "pending") if any(o.verdict.state == s for o in judged_heads)),
        "success",
    )
    apps = dict.fromkeys(app.app for judged_head in judged_heads for app in judged_head.apps)
    return Result(
        reason=reason if judged_heads else "no-difference",
        message=_message(judged_heads, stop),
        outputs={
            "state": worst if judged_heads else "",
            "next-at": min((o.verdict.next_at for o in judged_heads if o.verdict.next_at), default=""),
        },
        summary=render("pin_guard.md.j2", seen=judged_heads)
        + "".join(details(judged_head.head, judged_head.apps, now, run_url) for judged_head in judged_heads),
        app=next(iter(apps)) if len(apps) == 1 else "",
        dry_run=dry_run,
        trust=next(
            (judged.facts.trust for judged_head in judged_heads for judged in _environments(judged_head)),
            None,
        ),
        changes=tuple(change for judged_head in judged_heads for change in judged_head.changes),
        rules=tuple(_rules(judged_heads)),
        calls=calls,
    )


def _message(judged_heads: Sequence[HeadJudged], stop: Stop | None) -> Message:
    if not judged_heads:
        return Message(
            what="pin-guard has nothing to check.",
            why="Only open pull requests that target the default branch have the status stagegate/pins.",
        )
    verdicts = "; ".join(
        f"{judged_head.head.name} is {judged_head.verdict.state}: {judged_head.verdict.description}"
        for judged_head in judged_heads[:5]
    )
    more = f" and {len(judged_heads) - 5} more" if len(judged_heads) > 5 else ""
    return Message(what=f"stagegate/pins of {verdicts}{more}.", next=stop.next if stop else "")


def _rules(judged_heads: Sequence[HeadJudged]) -> Iterator[RuleResult]:
    for judged_head in judged_heads:
        for judged in _environments(judged_head):
            yield from judged.rules


def _environments(judged_head: HeadJudged) -> Iterator[Judged]:
    for app in judged_head.apps:
        yield from app.environments


def accounts(apps: Sequence[AppJudged], now: datetime, run_url: str) -> Iterator[BodyFacts]:
    """The summary of every environment that a head changes."""
    for judged in (environment for app in apps for environment in app.environments):
        yield text.account(
            judged.facts, judged.subject, judged.rules, judged.difference, now=now, run_url=run_url
        )


def details(head: Head, apps: Sequence[AppJudged], now: datetime, run_url: str) -> str:
    """The text that a promotion's pull request would have, for every environment that a head changes."""
    parts = []
    for account in accounts(apps, now, run_url):
        title = text.title(account.app, account.environment, account.before, account.after, account.kind)
        body = text.body(account)
        parts.append(f"\n### {title} ({head.name})\n\n{body.text}{body.rest}")
    return "".join(parts)


def show(context: Context, requested: str, judged_heads: Sequence[HeadJudged], now: datetime) -> str:
    """Write the page with every difference where there is one and a place for it; its path, or nothing."""
    shown = [
        facts for judged_head in judged_heads for facts in accounts(judged_head.apps, now, context.run_url)
    ]
    target = artifact.place(context, requested, "stagegate-difference-pull-request.html", what="html")
    if target is None or not any(facts.difference for facts in shown):
        return ""
    artifact.write(target, page.page(shown, context.run_url))
    return str(target)
