"""Handles one command: parse, authorise, carry out, and keep one reply up to date."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from stagegate.clients import hub
from stagegate.comment import authorise, parse, reply, result, scope
from stagegate.comment import event as events
from stagegate.comment.answer import CommandAnswer
from stagegate.comment.commands import COMMANDS
from stagegate.comment.definition import CommandOrder
from stagegate.comment.event import CommentEvent
from stagegate.comment.read import Thread
from stagegate.errors import Stop
from stagegate.promotion import apps
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs


@dataclass(frozen=True)
class Handler:
    """The facts of one run of pr-command: its inputs, the pins repository, the comment and its thread."""

    inputs: PinsInputs
    verify_workflow: str
    context: Context
    pins: hub.Hub
    event: CommentEvent
    thread: Thread

    def answer(self) -> tuple[CommandAnswer, str]:
        """Carry out the command and reply. Returns the answer and the address of the reply (empty in a dry run)."""
        pins, number = self.pins, self.event.number
        blank = CommandAnswer(
            comment=self.event.comment, author=events.author(self.event), run_url=self.context.run_url
        )
        existing = self.thread.answer
        if not self.inputs.dry_run:
            pins.react(self.event.comment, "eyes")
            existing = reply.write(pins, number, blank, existing)
        try:
            answer = self._settle(blank)
        except Exception:
            if not self.inputs.dry_run:
                reply.write(pins, number, result.broken(blank), existing)
            raise
        if not self.inputs.dry_run:
            existing = reply.write(pins, number, answer, existing)
            pins.react(self.event.comment, "rocket" if reply.is_good(answer) else "-1")
        where = f"{pins.server_url}/{pins.repository}/issues/{number}"
        return answer, f"{where}#issuecomment-{existing.id}" if existing else ""

    def _settle(self, answer: CommandAnswer) -> CommandAnswer:
        """The answer after the command was carried out or refused."""
        event, thread, now = self.event, self.thread, self.pins.now()
        try:
            every_app = apps.read(self.pins, self.inputs.config)
            authorise.check(event, thread)
            command = parse.parse(event.body)
            answer = msgspec.structs.replace(answer, command=command)
            selected = scope.select(every_app, command, thread)
            authorise.permit(event, thread, command, selected)
            head = authorise.bound(thread, selected, command)
            answer = msgspec.structs.replace(answer, head=head)
            scope.demand_same_head(self.pins, thread, head)
            order = CommandOrder(
                command=command,
                event=event,
                apps=selected,
                inputs=self.inputs,
                context=self.context,
                now=now,
                verify_workflow=self.verify_workflow,
                definitions=tuple(COMMANDS.values()),
            )
            return COMMANDS[command.name].effect(order, answer)
        except Stop as stop:
            return msgspec.structs.replace(answer, result=result.refused(stop))
