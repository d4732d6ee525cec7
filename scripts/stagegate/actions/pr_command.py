"""pr-command: carries out a command that a person wrote as a comment, if they have permission, and replies."""

from __future__ import annotations

from stagegate.clients import hub
from stagegate.comment import authorise, event, read, reply, result
from stagegate.comment.event import CommentEvent
from stagegate.comment.handle import Handler
from stagegate.model import Result
from stagegate.notification.entrypoint import entrypoint
from stagegate.promotion import apps
from stagegate.runner.context import Context
from stagegate.runner.inputs import ClusterInputs


class PrCommand(ClusterInputs, frozen=True, kw_only=True):
    """Inputs of pr-command."""

    verify_workflow: str = ""


def main(inputs: PrCommand, context: Context) -> Result:
    """Each request to GitHub is sent once. A comment that is not a command costs no request."""
    comment = event.read(context)
    if why := authorise.ignored(comment):
        return result.ignored(why)
    with hub.remembering():
        return obey(inputs, context, comment)


def obey(inputs: PrCommand, context: Context, comment: CommentEvent) -> Result:
    """Inputs -> facts -> plan -> apply -> report."""
    pins = hub.from_context(context, inputs.pins_token or inputs.token)
    apps.read_ahead(pins, inputs.config)
    is_bot = comment.author is not None and comment.author.kind == "Bot"
    if is_bot and (why := authorise.ignored_bot(comment, apps.read(pins, inputs.config))):
        return result.ignored(why)
    thread = read.thread(pins, comment)
    if reply.is_final(thread.answer):
        return result.ignored("this comment has a reply already")
    answer, url = Handler(inputs, inputs.verify_workflow, context, pins, comment, thread).answer()
    return result.result(answer, url, pins.calls)


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("pr-command", PrCommand, main)
