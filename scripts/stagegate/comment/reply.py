"""The one answer to a command: written at once, edited in place, found again by its marker and its author."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stagegate.clients import hub
from stagegate.clients.hub.comments import BODY_LIMIT
from stagegate.comment.answer import CommandAnswer
from stagegate.errors import VERDICTS
from stagegate.model import Actor, Message
from stagegate.report import markdown, status_page, times
from stagegate.report.render import render

_MARKER = re.compile(r"<!-- stagegate-command:(\d+):(working|done) -->")
_CUT = "*The rest stands in the run's summary.*\n"


def text(answer: CommandAnswer) -> str:
    """The answer as a comment of at most 65,536 characters."""
    result = answer.result
    state = "done" if answer.is_final else "working"
    outputs = result.outputs if result else {}
    body = render(
        "pr_command.md.j2",
        answer=answer,
        result=result,
        message=result.message if result else Message(what="Working on it."),
        outcome=VERDICTS[result.reason].outcome if result else "",
        rules=[rule for rule in result.rules if rule.state != "pass"] if result else [],
        pull=outputs.get("pr-url", ""),
        signs=status_page.SIGNS,
        age=lambda at: times.age(at, answer.at),
    )
    marker = f"<!-- stagegate-command:{answer.comment}:{state} -->\n"
    return markdown.shorten(marker + body, BODY_LIMIT, _CUT)


def ours(comments: Iterable[hub.Comment], comment: int, viewer: Actor) -> hub.Comment | None:
    """Our newest answer to a comment; a marker in somebody else's text is only text."""
    replies = [
        one
        for one in comments
        if viewer.same(one.author) and (match := _MARKER.match(one.body)) and int(match[1]) == comment
    ]
    return replies[-1] if replies else None


def is_final(answer: hub.Comment | None) -> bool:
    """Whether an answer of ours says that its command was carried out or refused for good."""
    match = _MARKER.match(answer.body) if answer else None
    return match is not None and match[2] == "done"


def write(pins: hub.Hub, number: int, answer: CommandAnswer, existing: hub.Comment | None) -> hub.Comment:
    """Write the answer, in place of an existing one."""
    if existing is None:
        return pins.comment(number, text(answer))
    return pins.edit_comment(existing.id, text(answer))


def is_good(answer: CommandAnswer) -> bool:
    """Whether the command did, or will do, what was asked."""
    return answer.result is not None and VERDICTS[answer.result.reason].exit_code == 0
