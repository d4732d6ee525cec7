"""Chart checks: chart-check as a whole process, beside the runs of helm that it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.table import Row, cpu_seconds, side_by_side

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 7
# A program called helm: writes its first argument to a log, then starts the real helm.
RECORDER = '#!/bin/sh\necho "$1" >>"{log}"\nexec "{helm}" "$@"\n'


def rows(folder: Path) -> Iterator[Row]:
    """The example with its two environments, and a chart as `helm create` writes it, without settings."""
    shop = folder / "shop"
    shutil.copytree(ROOT / "examples/shop", shop)
    runs = [word for word in asked(folder, shop) if word != "version"]
    values = ["-f", str(shop / "deploy/values/prod.yaml"), "--set", "global.imageTag=v1.0.0"]
    yield row(
        "chart-check of the example", shop, [], helm(runs, shop / "charts/shop", values), "1.5", len(runs)
    )
    (folder / "plain").mkdir()
    run(folder / "plain", "helm", "create", "web")
    plain = helm(["template", "lint"], folder / "plain/web", [])
    yield row("chart-check of a chart alone", folder / "plain", ["--chart", "web"], plain, "2", len(plain))


def asked(folder: Path, work: Path) -> list[str]:
    """The first word of every run of helm that chart-check starts."""
    log, program = folder / "asked", folder / "bin/helm"
    program.parent.mkdir()
    program.write_text(RECORDER.format(log=log, helm=shutil.which("helm")))
    program.chmod(0o755)
    run(work, str(ROOT / "scripts/run"), "chart_check", path=str(program.parent))
    return log.read_text().split()


def helm(words: Sequence[str], chart: Path, values: Sequence[str]) -> list[list[str]]:
    """The same runs by hand."""
    name = {"template": ["shop"], "lint": []}
    return [["helm", word, *values, *name[word], str(chart)] for word in words]


def row(what: str, work: Path, words: Sequence[str], plain: list[list[str]], goal: str, number: int) -> Row:
    """Processor time of both, in turns."""

    def by_hand() -> None:
        for argv in plain:
            run(work, *argv)

    ours, theirs = side_by_side(
        ROUNDS,
        lambda: run(work, str(ROOT / "scripts/run"), "chart_check", *words),
        by_hand,
        clock=cpu_seconds,
    )
    ratio = ours / theirs
    return Row(
        what, f"{ours:.2f} s", f"{number} runs of helm {theirs:.2f} s", ratio, goal, ratio <= float(goal)
    )


def run(work: Path, *argv: str, path: str = "") -> None:
    """Run a program that must succeed; `path` comes first on PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "SG_"))}
    env = {**kept, "PATH": f"{path}{os.pathsep}{kept['PATH']}" if path else kept["PATH"]}
    subprocess.run(argv, cwd=work, env=env, check=True, capture_output=True)
