"""The only reply to a command: written at once, edited in place, found by its marker and author."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stagegate import markdown
from stagegate.clients import hub
from stagegate.clients.hub.comments import BODY_LIMIT
from stagegate.comment.answer import CommandAnswer
from stagegate.errors import VERDICTS
from stagegate.model import Actor, Message
from stagegate.report import status_page, times
from stagegate.report.render import render
from stagegate.runner import summary

_MARKER = re.compile(r"<!-- stagegate-command:(\d+):(working|done) -->")
_CUT = "*The rest is in the run's summary.*\n"


def text(answer: CommandAnswer) -> str:
    """The answer as a comment of at most 65,536 characters."""
    result = answer.result
    state = "done" if answer.is_final else "working"
    body = render(
        "pr_command.md.j2",
        head=_head(answer),
        answer=answer,
        rules=[rule for rule in result.rules if rule.state != "pass"] if result else [],
        signs=status_page.SIGNS,
        age=lambda at: times.age(at, answer.at),
    )
    marker = f"<!-- stagegate-command:{answer.comment}:{state} -->\n"
    return markdown.shorten(marker + body, BODY_LIMIT, _CUT)


def _head(answer: CommandAnswer) -> str:
    """The first lines, as a job summary has them: what happened to whose command, why, the next step, links."""
    result = answer.result
    what = markdown.code(answer.command.text) if answer.command else "a comment"
    title = f"{what} by {markdown.code(answer.author)}"
    if result is None:
        message = Message(what="Working on it.")
        return summary.head(None, message, iter([title, markdown.link("run", answer.run_url)]))
    about = summary.about(result, run_url=answer.run_url)
    return summary.head(VERDICTS[result.reason].outcome, result.message, iter([title, *about]))


def ours(comments: Iterable[hub.Comment], comment: int, viewer: Actor) -> hub.Comment | None:
    """Our newest reply to a comment; a marker in a comment of somebody else does not count."""
    replies = [
        thread_comment
        for thread_comment in comments
        if viewer.same(thread_comment.author)
        and (match := _MARKER.match(thread_comment.body))
        and int(match[1]) == comment
    ]
    return replies[-1] if replies else None


def is_final(answer: hub.Comment | None) -> bool:
    """Whether a reply of ours reports that its command was carried out or finally refused."""
    match = _MARKER.match(answer.body) if answer else None
    return match is not None and match[2] == "done"


def write(pins: hub.Hub, number: int, answer: CommandAnswer, existing: hub.Comment | None) -> hub.Comment:
    """Write the answer, in place of an existing one."""
    if existing is None:
        return pins.comment(number, text(answer))
    return pins.edit_comment(existing.id, text(answer))


def is_good(answer: CommandAnswer) -> bool:
    """Whether the command succeeded, or will succeed later."""
    return answer.result is not None and VERDICTS[answer.result.reason].exit_code == 0
