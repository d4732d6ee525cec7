"""The status report for people: one HTML page without any network, and Markdown for a job summary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from stagegate.report import flow as flows
from stagegate.report import times
from stagegate.report.render import render, render_html
from stagegate.report.status import AppStatus, Attention, ReleaseCommit, StatusReport

# attention -> (symbol, words); the symbol carries the meaning without colour.
SIGNS: Mapping[Attention, tuple[str, str]] = MappingProxyType(
    {
        "unknown": ("?", "unknown"),
        "drift": ("≠", "drift"),
        "failed": ("✕", "failed"),
        "held": ("■", "held"),
        "stuck": ("!", "stuck"),
        "unproven": ("○", "not verified"),
        "frozen": ("❄", "frozen"),
        "moving": ("▶", "gate running"),
        "waiting": ("…", "waiting"),
        "good": ("✓", "good"),
    }
)
RANK = {word: rank for rank, word in enumerate(SIGNS)}
_FEW_APPS = 50  # so many apps are shown with every release that is known; of more, the newest releases
_NEWEST = 5


def page(report: StatusReport) -> str:
    """The report as one self-contained HTML document; foreign text in it is inert."""
    return render_html(
        "status.html.j2",
        report=report,
        apps=report.apps,
        places={app.app: {place.name: place for place in app.environments} for app in report.apps},
        signs=SIGNS,
        counts=_counts(report),
        rank=RANK,
        worst=worst,
        flows=flows.flows(report),
        definitions=flows.DEFINITIONS,
        phases=flows.PHASES,
        data=_embedded(report),
        newest=_NEWEST if len(report.apps) > _FEW_APPS else 0,
        duration=times.duration,
        bars=bars,
        columns=columns,
    )


def worst(app: AppStatus) -> Attention:
    """What needs a person most in an app."""
    if app.trouble or not app.environments:
        return "unknown"
    return min((place.attention for place in app.environments), key=RANK.__getitem__)


def summary(report: StatusReport) -> str:
    """The report as Markdown for a job summary: a table, and the road as a picture where there is one app."""
    return render(
        "status.md.j2",
        report=report,
        signs=SIGNS,
        road=road(report.apps[0]) if len(report.apps) == 1 and report.apps[0].environments else "",
        age=lambda at: times.age(at, report.at),
        worst=worst,
    )


def road(app: AppStatus) -> str:
    """The environments of an app as a mermaid flow chart, each with its version and state."""
    names = {place.name: f"e{number}" for number, place in enumerate(app.environments)}
    lines = ["flowchart LR"]
    for place in app.environments:
        sign, words = SIGNS[place.attention]
        lines.append(
            f'  {names[place.name]}["{place.name}<br>{mermaid_text(place.version) or "-"}<br>{sign} {words}"]'
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
    return [(name, times.duration(seconds), round(100 * seconds / longest, 1)) for name, seconds in stages]


def columns(counts: tuple[int, ...]) -> list[tuple[int, float]]:
    """Columns of a chart: the count, and its share of the highest in percent."""
    highest = max(counts, default=0) or 1
    return [(count, round(100 * count / highest, 1)) for count in counts]


def mermaid_text(text: str) -> str:
    """Text that ends no label of a mermaid picture."""
    return "".join(character for character in text if character.isalnum() or character in ".-+_ ")


def script_data(value: object) -> str:
    """JSON that may stand in a script element: no `<` can end it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _counts(report: StatusReport) -> Mapping[Attention, int]:
    attention = [place.attention for app in report.apps for place in app.environments]
    attention += ["unknown" for app in report.apps if app.trouble]
    return {word: attention.count(word) for word in SIGNS if word in attention}


def _embedded(report: StatusReport) -> str:
    """What the page's script searches: releases with their road, and the commits that no release has."""
    newest = _NEWEST if len(report.apps) > _FEW_APPS else None
    rows = [
        {
            "app": app.app,
            "releases": [
                {
                    "version": release.version,
                    "commit": release.commit,
                    "url": release.url,
                    "commits": _short(release.commits),
                    "pulls": release.pulls,
                    "steps": [[s.name, s.environment, s.at, s.url, s.state] for s in release.steps],
                }
                for release in app.releases[:newest]
            ],
            "unreleased": {"commits": _short(app.unreleased), "pulls": app.unreleased_pulls},
        }
        for app in report.apps
        if app.releases or app.unreleased
    ]
    return script_data(rows)


def _short(commits: tuple[ReleaseCommit, ...]) -> list[list[str]]:
    return [[commit.sha, commit.subject[:72], commit.author] for commit in commits]
