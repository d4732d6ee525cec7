"""Mistakes in a channel's template: with file and line, and without any effect on the run."""

from __future__ import annotations

from stagegate.errors import Stop
from stagegate.promotion.apps import App
from stagegate.runner.context import Context
from stagegate.settings import Channel
from stagegate.settings.notify import template_line, template_mistake


def demand_valid(channel: Channel, app: App, context: Context) -> None:
    """Stop(bad-settings) where a channel's template cannot be sent."""
    mistake = template_mistake(channel.template) if channel.template else ""
    if not mistake:
        return
    file, line = _place(channel, app, context)
    where = f"{file}, line {line}," if line else f"{app.settings.extends or app.config}"
    raise Stop(
        "bad-settings",
        f"The template of {channel.key} in {where} has a mistake.",
        mistake,
        "Correct the template; `stagegate doctor --offline` checks templates.",
        file=file if line else None,
        line=line or None,
    )


def _place(channel: Channel, app: App, context: Context) -> tuple[str, int]:
    """File and line of the template in the work tree; line 0 where it is not there."""
    for file in (app.config, app.settings.extends):
        try:
            line = template_line(context.inside(file, what="config").read_bytes(), channel) if file else 0
        except (OSError, Stop):
            line = 0
        if line:
            return file, line
    return app.config, 0
