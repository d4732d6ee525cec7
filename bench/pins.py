"""Pins: a local edit beside the program's start and one libyaml compose of the same file, in processor time."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import yaml

from bench.table import Row, cpu_seconds
from bench.table import side_by_side as measured

RUN = str(Path(__file__).resolve().parents[1] / "scripts" / "run")
HEAD = "app: shop\nimages: [ghcr.io/acme/shop]\nenvironments:\n  - name: prod\n    pins: "
ROUNDS = 3
side_by_side = partial(measured, clock=cpu_seconds)


def rows(folder: Path) -> Iterator[Row]:
    """One pin in 10,000 and 50,000 lines, twenty pins in one file, 200 files, one among 5,000 files."""
    nothing = repository(folder / "small", {"values.yaml": values(8)}, "[values.yaml]")
    for lines in (10_000, 50_000):
        text = values(lines)
        place = repository(folder / f"lines-{lines}", {"values.yaml": text}, "[values.yaml]")
        start, edit, compose = side_by_side(
            ROUNDS, partial(local, nothing), partial(local, place), partial(compose_once, text)
        )
        ratio = (edit - start) / compose
        yield Row(
            f"one pin in {lines:,} lines, beyond start",
            f"{edit - start:.2f} s",
            f"one compose {compose:.2f} s",
            ratio,
            "3 composes",
            ratio <= 3,
        )
    twenty = [f"{{file: values.yaml, path: svc{n}.tag, value: 'v{{version}}'}}" for n in range(20)]
    text = values(10_000)
    one, many = (
        repository(folder / name, {"values.yaml": text}, f"[{', '.join(pins)}]")
        for name, pins in (("one", twenty[:1]), ("twenty", twenty))
    )
    single, several = side_by_side(ROUNDS, lambda: local(one), lambda: local(many))
    ratio = several / single
    yield Row(
        "20 pins in one file", f"{several:.2f} s", f"one pin {single:.2f} s", ratio, "1.5", ratio <= 1.5
    )
    files = {f"apps/{n}/values.yaml": values(8) for n in range(200)}
    place = repository(folder / "files", files, f"[{', '.join(files)}]")
    start, edit = side_by_side(ROUNDS, lambda: local(nothing), lambda: local(place))
    yield Row("200 pin files", f"{edit:.2f} s", f"one file {start:.2f} s", edit / start, "1 s", edit <= 1)
    forest = {f"apps/{n // 100}/{n}.yaml": values(8) for n in range(5000)}
    place = repository(folder / "forest", forest, "[apps/0/7.yaml]")
    start, edit = side_by_side(ROUNDS, lambda: local(nothing), lambda: local(place))
    ratio = edit / start
    yield Row(
        "one pin among 5,000 files", f"{edit:.2f} s", f"one file {start:.2f} s", ratio, "1", ratio <= 1.3
    )


def values(lines: int) -> str:
    """A values file of about so many lines; every service has a tag of its own."""
    text = ["image:", "  repository: ghcr.io/acme/shop", "  tag: v1.2.3"]
    number = 0
    while len(text) < lines:
        text += [f"svc{number}:", f"  enabled: true # {number}", f"  replicas: {number % 7}", "  tag: v1.2.3"]
        text += ["  resources: {limits: {cpu: '1', memory: 1Gi}}", f"  host: h{number}.example.com", ""]
        number += 1
    return "\n".join(text) + "\n"


def repository(folder: Path, files: dict[str, str], pins: str) -> Path:
    """A clone with files and settings."""
    for name, text in {**files, "stagegate.yaml": f"{HEAD}{pins}\n"}.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "files"]):
        subprocess.run([*git, *command], check=True)
    return folder


def local(folder: Path) -> None:
    """One local edit, as a dry run."""
    command = ["promote_pr", "--local", "--dry-run", "--environment", "prod", "--version", "1.2.4"]
    subprocess.run([RUN, *command], cwd=folder, check=True, capture_output=True)


def compose_once(text: str) -> None:
    """One compose by libyaml in this process."""
    list(yaml.compose_all(text, yaml.CSafeLoader))
