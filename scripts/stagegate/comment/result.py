"""What a run of pr-command says of itself, and the answers that are not the planner's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from stagegate.comment.read import Asked
from stagegate.comment.reply import Answer
from stagegate.comment.status import AppStanding
from stagegate.errors import Stop
from stagegate.model import Calls, Message, Result

OUTPUTS = ("command", "environment", "version", "pr-url", "reply-url")


def author(asked: Asked) -> str:
    """Who commented, for people."""
    return asked.author.login if asked.author else "somebody unknown"


def ignored(why: str) -> Result:
    """Nothing was done, and nobody is answered."""
    return Result(
        reason="no-difference",
        message=Message(what=f"Nothing was done: {why}.", next="`/help` in a comment lists the commands."),
        outputs=dict.fromkeys(OUTPUTS, ""),
    )


def refused(stop: Stop) -> Result:
    """A refusal or trouble as a result, so that it can be answered."""
    return Result(reason=stop.reason, message=Message(what=stop.what, why=stop.why, next=stop.next))


def broken(answer: Answer) -> Answer:
    """The answer when stagegate itself met a case it does not know."""
    message = Message(
        what="stagegate met a case it does not know; the run's log says where.",
        why="Some of it may be done.",
        next="Running the job again completes what was begun.",
    )
    return msgspec.structs.replace(answer, result=Result(reason="bug", message=message))


def reported(standings: Sequence[AppStanding]) -> Result:
    """The result of `/status`: reported, or unknown-state when something could not be read."""
    unread = [one.app for one in standings if not one.is_known]
    if unread:
        return Result(
            reason="unknown-state",
            message=Message(
                what=f"Not everything is known of {', '.join(unread)}.",
                why="What could not be read is shown as unknown, never as good.",
                next="Ask again, or see the run's log.",
            ),
        )
    return Result(reason="reported", message=Message(what="Where every release is:"))


def helped() -> Result:
    """The result of `/help`."""
    return Result(reason="reported", message=Message(what="These are the commands:"))


def result(answer: Answer, reply_url: str, calls: Calls) -> Result:
    """The run's own result: that of the command, with what the command was."""
    command = answer.command
    done = answer.result or ignored("there is no result")
    told: Mapping[str, str] = done.outputs
    outputs = {
        "command": command.name if command else "",
        "environment": command.environment if command else "",
        "version": told.get("version") or (command.version if command else ""),
        "pr-url": told.get("pr-url", ""),
        "reply-url": reply_url,
    }
    total = Calls(read=done.calls.read + calls.read, write=done.calls.write + calls.write)
    return msgspec.structs.replace(done, outputs=outputs, calls=total)
