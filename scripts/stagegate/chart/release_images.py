"""The images of a release as its rendered chart names them, so that no list is kept by hand."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.chart import first_party
from stagegate.chart.check import facts
from stagegate.chart.check.request import CheckRequest
from stagegate.clients.registry.credentials import Credentials
from stagegate.errors import Stop
from stagegate.runner.context import Context
from stagegate.settings import Settings


def of(settings: Settings, context: Context, logins: Mapping[str, Credentials]) -> tuple[str, ...]:
    """Repositories of our images, rendered for every environment, and those of the settings.

    Stop(findings) where an environment does not render: an image could be missing in the list.
    """
    images = dict.fromkeys(settings.images)
    if settings.own_chart is not None:
        place = facts.Checkout(context.workspace, context.repository)
        known = facts.read(settings, settings.own_chart, place, logins, CheckRequest()).chart
        for rendered in known.rendered:
            if rendered.objects is None:
                raise Stop(
                    "findings",
                    f"The chart does not render for {rendered.environment or 'its own values'}.",
                    "The list of images is read from the chart, rendered for every environment.",
                    "Run chart-check, which shows why.",
                )
            images |= dict.fromkeys(first_party.repositories(rendered, known))
    if not images:
        raise Stop(
            "bad-settings",
            "No image of the app is known.",
            "Neither `images` nor the rendered chart names one.",
            "Write `images`, or `chart.path` and `chart.image-tag-value`.",
        )
    return tuple(images)
