"""The result of pr-command, and the replies that do not come from a promotion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from stagegate.comment.answer import CommandAnswer
from stagegate.errors import Stop
from stagegate.model import Calls, Message, Result
from stagegate.report import status_page, times
from stagegate.report.status import AppStatus

OUTPUTS = ("command", "environment", "version", "pr-url", "reply-url")


def ignored(why: str) -> Result:
    """The result when nothing was done, without a reply."""
    return Result(
        reason="no-difference",
        message=Message(
            what=f"stagegate did nothing: {why}.", next="`/help` in a comment lists the commands."
        ),
        outputs=dict.fromkeys(OUTPUTS, ""),
    )


def refused(stop: Stop) -> Result:
    """A refusal or trouble as a result, so that it can be answered."""
    return Result(reason=stop.reason, message=Message(what=stop.what, why=stop.why, next=stop.next))


def broken(answer: CommandAnswer) -> CommandAnswer:
    """The answer after an unexpected error in stagegate."""
    message = Message(
        what="An unexpected error in stagegate stopped this command.",
        why="stagegate may have carried out parts of the command; the log of the run shows which.",
        next="Run the job again: the new run completes the command.",
    )
    return msgspec.structs.replace(answer, result=Result(reason="bug", message=message))


def reported(apps: Sequence[AppStatus]) -> Result:
    """The result of `/status`: reported, or unknown-state when something could not be read."""
    unread = [app.app for app in apps if not app.is_known]
    if unread:
        return Result(
            reason="unknown-state",
            message=Message(
                what=f"The state of some apps is unknown: {', '.join(unread)}.",
                why="The table shows each state that could not be read as unknown.",
                next="Comment `/status` again, or read the log of the run.",
            ),
        )
    places = [(app.app, place) for app in apps for place in app.environments]
    words = Counter(status_page.SIGNS[place.attention][1] for _, place in places)
    message = (
        ", ".join(f"{place.name} {place.version or 'no version'}" for _, place in places)
        if len(apps) == 1
        else f"{times.counted(len(places), 'environment')} of {len(apps)} apps"
    )
    states = ", ".join(f"{number} {word}" for word, number in words.most_common())
    return Result(reason="reported", message=Message(what=f"{message}: {states}."))


def helped() -> Result:
    """The result of `/help`."""
    return Result(reason="reported", message=Message(what="These commands work in a comment."))


def result(answer: CommandAnswer, reply_url: str, calls: Calls) -> Result:
    """The run's own result: that of the command, with what the command was."""
    command = answer.command
    reported_result = answer.result or ignored("there is no result")
    of_promotion: Mapping[str, str] = reported_result.outputs
    outputs = {
        "command": command.name if command else "",
        "environment": command.environment if command else "",
        "version": of_promotion.get("version") or (command.version if command else ""),
        "pr-url": of_promotion.get("pr-url", ""),
        "reply-url": reply_url,
    }
    total = Calls(
        read=reported_result.calls.read + calls.read, write=reported_result.calls.write + calls.write
    )
    return msgspec.structs.replace(reported_result, outputs=outputs, calls=total)
