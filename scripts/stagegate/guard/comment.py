"""Writes the comment with the difference on a person's pull request, and keeps it up to date."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from stagegate import markdown
from stagegate.clients import hub
from stagegate.clients.hub.comments import BODY_LIMIT
from stagegate.errors import Stop
from stagegate.guard import result
from stagegate.guard.heads import Head
from stagegate.guard.judge import AppJudged
from stagegate.model import Change, branch_names
from stagegate.policy.commit_status import PinsStatus
from stagegate.proposal import body as text
from stagegate.proposal import write

_MARKER = "<!-- stagegate-difference -->\n"
_CUT = "\n*The rest is in the run's summary.*\n"
_NOTHING = "This pull request no longer changes what an environment runs.\n"


def written(
    pins: hub.Hub,
    shows: Collection[str],
    head: Head,
    judged: tuple[AppJudged, ...],
    verdict: PinsStatus,
    now: datetime,
    run_url: str,
) -> tuple[Change, ...]:
    """Write the comment with the difference, and the status that links to it.

    Without a comment the status links to the run, whose summary shows it; what waits links to the pull request,
    because a pending status is written anew for each address. `shows` are the apps' settings.
    """
    address, changes = _show(pins, head, judged, now, run_url) if _is_wanted(head, shows) else ("", ())
    shown = any(app.environments for app in judged)
    plain = head.pull.url if head.pull and (not shown or verdict.state == "pending") else run_url
    return (*changes, *write.status(pins, head.sha, verdict, address or plain))


def _is_wanted(head: Head, shows: Collection[str]) -> bool:
    """Whether a comment shows the difference: not on a proposal of ours, whose body shows it."""
    return head.pull is not None and not branch_names.is_proposal(head.pull.head_ref) and "comment" in shows


def _show(
    pins: hub.Hub, head: Head, judged: tuple[AppJudged, ...], now: datetime, run_url: str
) -> tuple[str, tuple[Change, ...]]:
    """The comment's address, empty where there is none, and what was written.

    A token that may not comment is no trouble: the run's summary shows the same.
    """
    pull = head.pull
    if pull is None:
        return "", ()
    shown = result.details(head, judged, now, run_url)
    try:
        existing = _ours(pins, pull.number)
        if existing is None and not shown:
            return "", ()
        body = markdown.shorten(_MARKER + (shown or _NOTHING), BODY_LIMIT, _CUT)
        if existing is not None and text.settled(existing.body) == text.settled(body):
            return f"{pull.url}#issuecomment-{existing.id}", ()
        written = pins.edit_comment(existing.id, body) if existing else pins.comment(pull.number, body)
    except Stop as stop:
        if stop.reason != "missing-permission":
            raise
        return "", ()
    before = "an earlier state of the pull request" if existing else ""
    change = Change(kind="comment", target=f"#{pull.number}", before=before, after="the rendered difference")
    return f"{pull.url}#issuecomment-{written.id}", (change,)


def _ours(pins: hub.Hub, number: int) -> hub.Comment | None:
    """Our newest comment with the difference; a marker in somebody else's text is only text."""
    viewer = pins.viewer()
    own_comments = [
        comment
        for comment in pins.comments(number)
        if comment.body.startswith(_MARKER) and viewer.same(comment.author)
    ]
    return own_comments[-1] if own_comments else None
