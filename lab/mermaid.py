"""The flow charts that stagegate writes for GitHub as inline SVG, because the demo's pages need no script.

It reads what our templates write: `flowchart LR`, `id["line<br>line"]`, `a --> b` and `style id stroke-width:4px`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_NODE = re.compile(r'\s*(\w+)\["(.*)"\]\s*')
_EDGE = re.compile(r"\s*(\w+) --> (\w+)\s*")
_STYLE = re.compile(r"\s*style (\w+) stroke-width:\d+px\s*")
_CHARACTER, _LINE, _PAD, _GAP = 8.5, 20, 14, 46  # pixels of a picture
_ROOM = 18  # between two boxes of one column


@dataclass(frozen=True)
class Chart:
    """Boxes with their lines of text, arrows between them, and the boxes with a thick frame."""

    boxes: Mapping[str, tuple[str, ...]]
    arrows: tuple[tuple[str, str], ...]
    thick: frozenset[str]


def read(text: str) -> Chart | None:
    """A flow chart; None where the text is no flow chart, or has an element that is not drawn here."""
    boxes: dict[str, tuple[str, ...]] = {}
    arrows: list[tuple[str, str]] = []
    thick: set[str] = set()
    first, *lines = text.strip().splitlines() or [""]
    for line in lines:
        if match := _NODE.fullmatch(line):
            boxes[match[1]] = tuple(match[2].split("<br>"))
        elif match := _EDGE.fullmatch(line):
            arrows.append((match[1], match[2]))
        elif match := _STYLE.fullmatch(line):
            thick.add(match[1])
        else:
            return None
    all_declared = thick.union(*arrows) <= boxes.keys()
    return (
        Chart(boxes, tuple(arrows), frozenset(thick))
        if first.strip() == "flowchart LR" and all_declared
        else None
    )


def svg(chart: Chart) -> str:
    """The chart from left to right: each box in the column after the last box that leads to it."""
    columns = _columns(chart)
    width = {
        box: max(map(len, lines), default=1) * _CHARACTER + 2 * _PAD for box, lines in chart.boxes.items()
    }
    height = {box: len(lines) * _LINE + 2 * _PAD - 6 for box, lines in chart.boxes.items()}
    tall = max(sum(height[box] + _ROOM for box in column) for column in columns)
    places: dict[str, tuple[float, float]] = {}
    next_x = 4.0
    for column in columns:
        top = 4 + (tall - sum(height[box] + _ROOM for box in column)) / 2 + _ROOM / 2
        for box in column:
            places[box] = (next_x, top)
            top += height[box] + _ROOM
        next_x += max(width[box] for box in column) + _GAP
    parts = [_box(chart, box, places[box], width[box], height[box]) for box in chart.boxes]
    for start, end in chart.arrows:
        x, y = places[start][0] + width[start], places[start][1] + height[start] / 2
        to_x, to_y = places[end][0] - 7, places[end][1] + height[end] / 2
        bend = (to_x - x) / 2
        parts.append(
            f'<path class="arrow" d="M{x:g} {y:g}C{x + bend:g} {y:g} {to_x - bend:g} {to_y:g} {to_x:g} {to_y:g}"/>'
        )
        parts.append(f'<path class="head" d="M{to_x:g} {to_y - 5:g}l8 5l-8 5z"/>')
    size = f'width="{next_x - _GAP + 4:g}" height="{tall + 8:g}" viewBox="0 0 {next_x - _GAP + 4:g} {tall + 8:g}"'
    words = "; ".join(" ".join(lines) for lines in chart.boxes.values())
    return f'<svg class="chart" role="img" aria-label="{html.escape(words)}" {size}>{"".join(parts)}</svg>'


def _columns(chart: Chart) -> Sequence[Sequence[str]]:
    before = {box: [start for start, end in chart.arrows if end == box] for box in chart.boxes}
    column: dict[str, int] = {}

    def of(box: str, visited: frozenset[str]) -> int:
        if box not in column:
            starts: Iterable[str] = (start for start in before[box] if start not in visited)
            column[box] = max((of(start, visited | {box}) + 1 for start in starts), default=0)
        return column[box]

    for box in chart.boxes:
        of(box, frozenset())
    return [
        [box for box in chart.boxes if column[box] == number]
        for number in range(max(column.values(), default=0) + 1)
    ]


def _box(chart: Chart, box: str, place: tuple[float, float], width: float, height: float) -> str:
    left, top = place
    kind = "box thick" if box in chart.thick else "box"
    lines = "".join(
        f'<text x="{left + width / 2:g}" y="{top + _PAD + 12 + number * _LINE:g}">{html.escape(line)}</text>'
        for number, line in enumerate(chart.boxes[box])
    )
    return (
        f'<rect class="{kind}" x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="6"/>{lines}'
    )
