"""Version files: a version moved in a lock file of 500 kB beside one parse of the same file, in processor time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import yaml

from bench.table import Row, cpu_seconds, side_by_side
from stagegate.release import version_files
from stagegate.settings import VersionFile

ROUNDS = 9
GOAL = 10  # times one parse at C speed, which takes two milliseconds


def rows(_: Path) -> Iterator[Row]:
    """A lock file of npm and a YAML file, each with thousands of entries."""
    yield row(
        "package-lock.json", VersionFile(file="package-lock.json"), npm_lock(), json.loads, "json.loads"
    )
    yaml_text = "".join(f"app-{n}: {{version: 1.0.{n}, sum: '{n:080}'}}\n" for n in range(4_500))
    place = VersionFile(file="values.yaml", path="version")
    load = partial(yaml.load, Loader=yaml.CSafeLoader)
    yield row("values.yaml", place, f"{yaml_text}version: 1.0.0\n", load, "yaml.load")


def row(what: str, place: VersionFile, text: str, parse: Callable[[str], object], name: str) -> Row:
    """One file whose version is moved."""
    content = text.encode()
    ours, once = side_by_side(
        ROUNDS, lambda: version_files.write(place, content, "1.1.0"), lambda: parse(text), clock=cpu_seconds
    )
    return Row(
        f"version in a {what} of {len(content) // 1024} KiB",
        f"{ours * 1000:.1f} ms",
        f"`{name}` {once * 1000:.1f} ms",
        ours / once,
        str(GOAL),
        ours / once <= GOAL,
    )


def npm_lock() -> str:
    """A lock file of npm with 1,600 packages."""
    packages: dict[str, object] = {"": {"name": "shop", "version": "1.0.0"}}
    for number in range(1_600):
        packages[f"node_modules/package-{number}"] = {
            "version": f"1.{number % 50}.0",
            "resolved": f"https://registry.example.com/package-{number}/-/package-{number}-1.0.0.tgz",
            "integrity": f"sha512-{number:086}==",
            "dev": True,
            "engines": {"node": ">=12"},
        }
    lock = {"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
    return json.dumps(lock, indent=2) + "\n"
