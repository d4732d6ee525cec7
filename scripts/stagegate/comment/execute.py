"""Carries out a command whose author may give it: as a typed request to promotion, or by reading."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from stagegate.clients import job_permissions
from stagegate.comment import event as events
from stagegate.comment import result
from stagegate.comment.answer import CommandAnswer, HelpLine
from stagegate.comment.definition import CommandOrder, Effect
from stagegate.marks import marks
from stagegate.model import rfc3339
from stagegate.policy import permissions
from stagegate.promotion import adopt as adoption
from stagegate.promotion import promote, run
from stagegate.promotion.apps import App
from stagegate.promotion.request import Command as RequestMode
from stagegate.promotion.request import Permitted, PromotionRequest
from stagegate.promotion.status import read as status
from stagegate.settings import Commands


def request(order: CommandOrder, mode: RequestMode) -> PromotionRequest:
    """The request to promotion in the name of the comment's author."""
    command = order.command
    on_all = command.app == marks.ALL
    by = f"/{command.name} by {events.author(order.event)} in #{order.event.number}"
    return PromotionRequest(
        mode=mode,
        environment=f"{marks.ALL}/{command.environment}" if on_all else command.environment,
        version=command.version,
        reason=command.reason or by,
        until=command.until,
        rules=",".join(command.rules),
        verify_workflow=order.verify_workflow,
        dry_run=order.inputs.dry_run,
        authorised=not any(permissions.is_list(app.settings, mode) for app in order.apps),
    )


def promotion(mode: Permitted) -> Effect:
    """The effect of a command that is a mode of promote-pr."""

    def effect(order: CommandOrder, answer: CommandAnswer) -> CommandAnswer:
        context = msgspec.structs.replace(order.context, actor=events.author(order.event))
        result_of_promotion = promote.for_apps(request(order, mode), order.inputs, context, order.apps)
        return msgspec.structs.replace(answer, result=result_of_promotion)

    return effect


def adopt(order: CommandOrder, answer: CommandAnswer) -> CommandAnswer:
    """Record the release that the environment's pins name as adopted by the comment's author."""
    context = msgspec.structs.replace(order.context, actor=events.author(order.event))
    app = order.apps[0]
    inputs = msgspec.structs.replace(order.inputs, config=app.config)
    started = run.start(
        request(order, "adopt"), inputs, app.settings, context, permissions=job_permissions.ADOPT
    )
    return msgspec.structs.replace(answer, result=adoption.adopt(started))


def show_status(order: CommandOrder, answer: CommandAnswer) -> CommandAnswer:
    """Report the releases in every environment of the apps."""
    shown = []
    for app in order.apps:
        inputs = msgspec.structs.replace(order.inputs, config=app.config)
        connections = run.connect(inputs, app.settings, order.context)
        place = order.command.environment
        shown.append(status.read(app, connections, order.now, environment=place, full=False))
    reported = result.reported(shown)
    return msgspec.structs.replace(answer, apps=tuple(shown), at=rfc3339(order.now), result=reported)


def show_help(order: CommandOrder, answer: CommandAnswer) -> CommandAnswer:
    """List every command with its meaning and the permission it requires in these apps."""
    lines = tuple(
        HelpLine(
            usage=definition.usage,
            help=definition.help,
            permission=_permission(definition.permission, order.apps),
        )
        for definition in order.definitions
    )
    return msgspec.structs.replace(answer, help=lines, result=result.helped())


def _permission(least: Callable[[Commands], object] | None, apps: Sequence[App]) -> str:
    """The least permission, by app where they differ; anybody who can comment may only read."""
    if least is None:
        return "anybody"
    apps_by_permission: dict[str, list[str]] = {}
    for app in apps:
        allowed = least(app.settings.commands)
        word = allowed if isinstance(allowed, str) else ", ".join(map(str, allowed))  # type: ignore[call-overload]
        apps_by_permission.setdefault(word, []).append(app.settings.app)
    if len(apps_by_permission) == 1:
        return next(iter(apps_by_permission))
    return "; ".join(f"{word} ({', '.join(names)})" for word, names in apps_by_permission.items())
