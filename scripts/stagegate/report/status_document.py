"""The status report for machines: JSON (`stagegate/status/1`) with its schema, and a badge for each environment."""

from __future__ import annotations

import html
import json
from typing import Any, get_args

import msgspec

from stagegate.report.flow import Flow, flows
from stagegate.report.status import Attention, EnvironmentStatus, StatusReport
from stagegate.report.status_page import SIGNS

_COLOURS = {"good": "#1a7f37", "waiting": "#57606a", "moving": "#0969da", "frozen": "#0969da"}


def document(report: StatusReport) -> str:
    """The report as JSON, with the attention of each environment and the flow of each app spelled out."""
    plain, measured = msgspec.to_builtins(report), flows(report)
    for app, row in zip(report.apps, plain["apps"], strict=True):
        row["flow"] = msgspec.to_builtins(measured[app.app])
        for place, cell in zip(app.environments, row["environments"], strict=True):
            cell["attention"] = place.attention
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    described = msgspec.json.schema(StatusReport)
    of_flow = msgspec.json.schema(Flow)
    described["$defs"] |= of_flow["$defs"]
    places, apps = described["$defs"]["EnvironmentStatus"], described["$defs"]["AppStatus"]
    places["properties"]["attention"] = {"enum": sorted(get_args(Attention))}
    places["required"].append("attention")
    apps["properties"]["flow"] = {"$ref": "#/$defs/Flow"}
    apps["required"].append("flow")
    return described


def badge(place: EnvironmentStatus, app: str) -> str:
    """An SVG badge: `shop prod | 1.4.0 ✓`."""
    sign, words = SIGNS[place.attention]
    left, right = f"{app} {place.name}", f"{place.version or 'no version'} {sign}"
    colour = _COLOURS.get(
        place.attention, "#9a6700" if place.attention in ("held", "stuck", "unproven") else "#cf222e"
    )
    widths = [round(len(text) * 6.6 + 12) for text in (left, right)]
    label = html.escape(f"{left}: {place.version or 'no version'}, {words}", quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{sum(widths)}" height="20" role="img" '
        f'aria-label="{label}"><title>{label}</title>'
        f'<rect width="{widths[0]}" height="20" fill="#3d444d"/>'
        f'<rect x="{widths[0]}" width="{widths[1]}" height="20" fill="{colour}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{widths[0] / 2}" y="14">{html.escape(left)}</text>'
        f'<text x="{widths[0] + widths[1] / 2}" y="14">{html.escape(right)}</text></g></svg>\n'
    )
