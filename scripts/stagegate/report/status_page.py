"""The status report as files: one HTML page without any network, JSON, badges, and Markdown for a job summary."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stagegate.report.render import TEMPLATES, render
from stagegate.report.status import AppStatus, Attention, EnvironmentStatus, StatusReport, duration, flow

# attention -> (symbol, words); the symbol carries the meaning without colour.
SIGNS: Mapping[Attention, tuple[str, str]] = MappingProxyType(
    {
        "unknown": ("?", "unknown"),
        "drift": ("≠", "drift"),
        "failed": ("✕", "failed"),
        "held": ("■", "held"),
        "stuck": ("!", "stuck"),
        "frozen": ("❄", "frozen"),
        "moving": ("▶", "gate running"),
        "waiting": ("…", "waiting"),
        "good": ("✓", "good"),
    }
)
RANK = {word: rank for rank, word in enumerate(SIGNS)}


def page(report: StatusReport) -> str:
    """The report as one self-contained HTML document; foreign text in it is inert."""
    return (
        _html()
        .get_template("status.html.j2")
        .render(
            report=report,
            apps=report.apps,
            signs=SIGNS,
            rank=RANK,
            flows={app.app: flow(app) for app in report.apps},
            data=_embedded(report),
            worst=worst,
            duration=duration,
            bars=bars,
        )
    )


def worst(app: AppStatus) -> Attention:
    """What needs a person most in an app."""
    if app.trouble or not app.environments:
        return "unknown"
    return min((place.attention for place in app.environments), key=RANK.__getitem__)


def document(report: StatusReport) -> bytes:
    """The report as JSON (`stagegate/status/1`), with the attention of each environment spelled out."""
    plain = msgspec.to_builtins(report)
    for app, row in zip(report.apps, plain["apps"], strict=True):
        for place, cell in zip(app.environments, row["environments"], strict=True):
            cell["attention"] = place.attention
    return json.dumps(plain, indent=1, ensure_ascii=False).encode() + b"\n"


def badge(place: EnvironmentStatus, app: str) -> str:
    """An SVG badge: `shop prod | 1.4.0 ✓`."""
    sign, words = SIGNS[place.attention]
    left, right = f"{app} {place.name}", f"{place.version or 'no version'} {sign}"
    colours = {"good": "#1a7f37", "waiting": "#57606a", "moving": "#0969da", "frozen": "#0969da"}
    colour = colours.get(place.attention, "#b35900" if place.attention in ("held", "stuck") else "#cf222e")
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


def summary(report: StatusReport) -> str:
    """The report as Markdown for a job summary: a table, and the road as a picture where there is one app."""
    return render(
        "status.md.j2",
        report=report,
        signs=SIGNS,
        road=road(report.apps[0]) if len(report.apps) == 1 else "",
        worst=worst,
    )


def road(app: AppStatus) -> str:
    """The environments of an app as a mermaid flow chart, each with its version and state."""
    names = {place.name: f"e{number}" for number, place in enumerate(app.environments)}
    lines = ["flowchart LR"]
    for place in app.environments:
        sign, words = SIGNS[place.attention]
        lines.append(
            f'  {names[place.name]}["{place.name}<br>{_mermaid(place.version) or "-"}<br>{sign} {words}"]'
        )
    lines += [
        f"  {names[before]} --> {names[place.name]}"
        for place in app.environments
        for before in place.after
        if before in names
    ]
    return "\n".join(lines)


def bars(stages: tuple[tuple[str, float], ...]) -> list[tuple[str, str, float]]:
    """Rows of a bar chart: name, duration in words, share of the longest in percent."""
    longest = max((seconds for _, seconds in stages), default=0) or 1
    return [(name, duration(seconds), round(100 * seconds / longest, 1)) for name, seconds in stages]


def _mermaid(text: str) -> str:
    return "".join(character for character in text if character.isalnum() or character in ".-+_")


def _embedded(report: StatusReport) -> str:
    """The releases of every app as JSON that may stand in a script element: no `<` can end it."""
    rows = [
        {"app": app.app, "releases": msgspec.to_builtins(app.releases)} for app in report.apps if app.releases
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


@lru_cache(maxsize=1)
def _html() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
