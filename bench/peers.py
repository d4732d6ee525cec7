"""Other release tools that find the next version, each installed from the package index it is published on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from bench.table import Row, cpu_seconds, side_by_side

ROUNDS = 3
_CONFIG = """
[tool.commitizen]
name = "cz_conventional_commits"
version_provider = "scm"
tag_format = "v$version"

[tool.semantic_release]
tag_format = "v{version}"
"""


class Peer(NamedTuple):
    """A tool: the name of its package, its command line, a remark on its result, and its package index.

    `{origin}` in the command stands for the address of the measured clone.
    """

    package: str
    command: Sequence[str]
    remark: str = ""
    source: Literal["Python", "Node"] = "Python"


PEERS = (
    Peer(
        "git-cliff",
        ("git-cliff", "--unreleased", "--bumped-version"),
        "only the commits since the newest tag",
    ),
    Peer("commitizen", ("cz", "bump", "--get-next", "--yes")),
    Peer("python-semantic-release", ("semantic-release", "version", "--print")),
    Peer(
        "commit-and-tag-version",
        ("commit-and-tag-version", "--dry-run", "--skip.changelog", "--skip.commit"),
        source="Node",
    ),
    Peer(
        "semantic-release",
        (
            *(
                "semantic-release",
                "--dry-run",
                "--no-ci",
                "--branches",
                "main",
                "--repository-url",
                "{origin}",
            ),
            *("--plugins", "@semantic-release/commit-analyzer"),
        ),
        "asks its remote, here a folder",
        source="Node",
    ),
)


def rows(folder: Path, work: Path, ours: Callable[[], None]) -> Iterator[Row]:
    """Our plan beside each peer's in the same clone; a peer that cannot be installed is named."""
    for peer in PEERS:
        home = folder / peer.package
        version = install_node(peer.package, home) if peer.source == "Node" else install(peer.package, home)
        what = "local plan beside a peer"
        if not version:
            yield Row(
                what, "-", f"{peer.package}: not to be had from {peer.source}'s package index", 0.0, "below 1"
            )
            continue
        there = folder / f"clone-{peer.package}"
        shutil.copytree(work, there)
        (there / "pyproject.toml").write_text(_CONFIG)
        (there / "package.json").write_text('{"name": "shop", "version": "1.48.0"}\n')
        folder_of_programs = home / ("node_modules/.bin" if peer.source == "Node" else "bin")
        command = [str(folder_of_programs / peer.command[0])]
        command += [word.replace("{origin}", f"file://{work}") for word in peer.command[1:]]

        def asked(command: Sequence[str] = command, there: Path = there) -> None:
            _run(command, there, {"GH_TOKEN": "none"})

        try:
            asked()
        except subprocess.CalledProcessError as error:
            yield Row(what, "-", f"{peer.package} {version}: ended with {error.returncode}", 0.0, "below 1")
            continue
        mine, other = side_by_side(ROUNDS, ours, asked, clock=cpu_seconds)
        remark = f" ({peer.remark})" if peer.remark else ""
        compared = f"{peer.package} {version} {other:.2f} s{remark}"
        yield Row(what, f"{mine:.2f} s", compared, mine / other, "below 1", mine < other)


def install(package: str, home: Path) -> str:
    """The version of a package in an environment of its own; empty where the index has none for this machine."""
    try:
        _run(["uv", "venv", "--quiet", str(home)], home.parent.parent, {})
        _run(["uv", "pip", "install", "--quiet", "--python", str(home / "bin" / "python"), package], home, {})
        listed = _run(
            ["uv", "pip", "list", "--python", str(home / "bin" / "python"), "--format=freeze"], home, {}
        )
    except (subprocess.CalledProcessError, FileNotFoundError):
        return ""
    names = (line.partition("==") for line in listed.splitlines())
    return next((version for name, _, version in names if name == package), "")


def install_node(package: str, home: Path) -> str:
    """The same for a package of Node, whose programs start no scripts of packages."""
    flags = ("--prefix", str(home), "--no-audit", "--no-fund", "--ignore-scripts", "--silent")
    home.mkdir(parents=True)
    try:
        _run(["npm", "install", *flags, package], home, {})
        described = json.loads((home / "node_modules" / package / "package.json").read_text())
    except (subprocess.SubprocessError, OSError):
        return ""
    return str(described["version"])


def _run(argv: Sequence[str], cwd: Path, more: dict[str, str]) -> str:
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("GITHUB_", "PYTHON"))}
    done = subprocess.run(
        argv, cwd=cwd, env={**environ, **more}, check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout
