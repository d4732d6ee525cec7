"""pr-command: carries out a command that somebody wrote as a comment, if they may, and answers it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from stagegate.actions import promote_pr
from stagegate.clients import hub
from stagegate.comment import authorise, dispatch, parse, read, reply, status
from stagegate.comment import result as telling
from stagegate.comment.parse import Command
from stagegate.comment.read import Asked, Scene
from stagegate.comment.reply import Answer
from stagegate.errors import Stop
from stagegate.model import Result
from stagegate.promotion import apps
from stagegate.promotion.apps import App
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs, load, variable


class PrCommand(PinsInputs, frozen=True, kw_only=True):
    """Inputs of pr-command."""

    verify_workflow: str = "production.yml"


def main(inputs: PrCommand, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report. What is no command costs no request and gets no answer."""
    asked = read.asked(context)
    if why := authorise.ignored(asked):
        return telling.ignored(why)
    pins = hub.from_context(context, inputs.pins_token or inputs.token)
    scene, now = read.scene(pins, asked), pins.now()
    if reply.is_final(scene.answer):
        return telling.ignored("this comment was answered before")
    blank = Answer(comment=asked.comment, author=telling.author(asked), run_url=context.run_url)
    there = scene.answer
    if not inputs.dry_run:
        pins.react(asked.comment, "eyes")
        there = reply.say(pins, asked.number, blank, scene.answer)
    try:
        answer = settle(inputs, context, pins, asked, scene, blank, now)
    except Exception:
        if not inputs.dry_run:
            reply.say(pins, asked.number, telling.broken(blank), there)
        raise
    if not inputs.dry_run:
        there = reply.say(pins, asked.number, answer, there)
        pins.react(asked.comment, "rocket" if reply.is_good(answer) else "-1")
    where = f"{pins.server_url}/{pins.repository}/issues/{asked.number}"
    return telling.result(answer, f"{where}#issuecomment-{there.id}" if there else "", pins.calls)


def settle(
    inputs: PrCommand,
    context: Context,
    pins: hub.Hub,
    asked: Asked,
    scene: Scene,
    answer: Answer,
    now: datetime,
) -> Answer:
    """Understand, authorise, carry out; a refusal is an answer like any other."""
    try:
        found = apps.read(pins, inputs.config)
        authorise.check(asked, scene)
        command = parse.understood(asked.body)
        answer = msgspec.structs.replace(answer, command=command)
        meant = dispatch.meant(found, command, scene)
        authorise.permit(asked, scene, command, authorise.least(meant, command))
        head = authorise.bound(scene, meant, command)
        answer = msgspec.structs.replace(answer, head=head)
        dispatch.unmoved(pins, scene, head)
        return carry_out(inputs, context, meant, command, asked, answer, now)
    except Stop as stop:
        return msgspec.structs.replace(answer, result=telling.refused(stop))


def carry_out(
    inputs: PrCommand,
    context: Context,
    meant: Sequence[App],
    command: Command,
    asked: Asked,
    answer: Answer,
    now: datetime,
) -> Answer:
    """Ask the planner, in the name of the comment's author."""
    if command.name == "help":
        return msgspec.structs.replace(answer, result=telling.helped())
    if command.name == "status":
        connections = [
            promote_pr.connect(given(inputs, {"config": app.config}), app.settings, context) for app in meant
        ]
        seen = tuple(
            status.read(app, door, command.environment, now)
            for app, door in zip(meant, connections, strict=True)
        )
        return msgspec.structs.replace(answer, standings=seen, result=telling.reported(seen))
    context = msgspec.structs.replace(context, actor=telling.author(asked))
    result = promote_pr.each(given(inputs, dispatch.inputs(command, asked)), context, meant)
    return msgspec.structs.replace(answer, result=result)


def given(inputs: PrCommand, words: dict[str, str]) -> promote_pr.PromotePr:
    """promote-pr's inputs: ours, and what the command says."""
    shared = {
        name: str(value) for name, value in msgspec.structs.asdict(inputs).items() if value is not False
    }
    every = {**shared, "dry_run": str(inputs.dry_run).lower(), "report": "", **words}
    return load(promote_pr.PromotePr, (), {variable(name): value for name, value in every.items()})


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("pr-command", PrCommand, main)
