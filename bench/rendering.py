"""Rendering: the example's chart for several environments, beside as many runs of `helm template`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.table import Row, side_by_side
from stagegate.chart.render import RenderInputs, ValuesFile, render_all

SHOP = Path(__file__).resolve().parents[1] / "examples/shop"
CHART = SHOP / "charts/shop"
VALUES = SHOP / "deploy/values/prod.yaml"
NUMBERS = (1, 8)  # environments
ROUNDS = 5


def rows(_: Path) -> Iterator[Row]:
    """One row for each number of environments."""
    content = VALUES.read_bytes()
    for number in NUMBERS:
        work = [one(f"shop-{index}", content) for index in range(number)]

        def helm(names: tuple[str, ...] = tuple(name for name, _, _ in work)) -> None:
            for name in names:
                argv = ["helm", "template", f"--namespace={name}", "-f", str(VALUES), "--", name, str(CHART)]
                subprocess.run(argv, check=True, capture_output=True)

        ours, theirs = side_by_side(ROUNDS, lambda work=work: render_all(work), helm)  # type: ignore[misc]
        what = f"rendering {number} environment{'s' if number > 1 else ''}"
        goal = "speed of helm, in parallel"
        compared = f"{number} `helm template` {theirs:.2f} s"
        yield Row(what, f"{ours:.2f} s", compared, ours / theirs, goal, ours / theirs <= 1.25)


def one(name: str, content: bytes) -> tuple[str, Path, RenderInputs]:
    """The arguments of render_all for one environment."""
    values = (ValuesFile(name=VALUES.name, content=content),)
    return name, CHART, RenderInputs(release_name=name, namespace=name, values=values)
