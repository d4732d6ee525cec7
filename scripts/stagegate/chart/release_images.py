"""Lists the images of a release from its rendered chart, so that no list has to be kept by hand."""

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
    """The repositories of our images in the chart, rendered for every environment, and in the settings.

    Stop(findings) when the chart does not render for an environment, because an image could be missing.
    Stop(bad-settings) without any image.
    """
    images = dict.fromkeys(settings.images)
    if settings.own_chart is not None:
        place = facts.Checkout(context.workspace, context.repository)
        chart_facts = facts.read(settings, settings.own_chart, place, logins, CheckRequest()).chart
        for rendered in chart_facts.rendered:
            if rendered.objects is None:
                raise Stop(
                    "findings",
                    f"The chart does not render for {rendered.environment or 'its own values'}.",
                    "The list of images comes from the chart, which is rendered for every environment.",
                    "Run chart-check, which shows why.",
                )
            images |= dict.fromkeys(first_party.repositories(rendered, chart_facts))
    if not images:
        raise Stop(
            "bad-settings",
            "No image of the app is known.",
            "Neither `images` nor the rendered chart contains an image of the app.",
            "Write `images`, or `chart.path` and `chart.image-tag-value`.",
        )
    return tuple(images)
