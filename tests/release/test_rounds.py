"""How often a decision asks GitHub, one time after another: each one is a round trip across the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.forge import Forge
from tests.release.version_world import VersionWorld

SETTINGS = """app: shop
version: {files: [VERSION, package.json], changelog: CHANGELOG.md}
environments: [{name: prod, pins: [deploy/prod.yaml]}]
"""
FILES = {
    "stagegate.yaml": SETTINGS,
    "VERSION": "1.0.0\n",
    "package.json": '{"version": "1.0.0"}\n',
    "CHANGELOG.md": "# Changelog\n",
    "deploy/prod.yaml": "a: 1\n",
}


def rounds(world: VersionWorld, *flags: str, depth: int) -> tuple[int, int]:
    """How often the repository and the API were asked in one run. git asks what a server can before each question."""
    before = len(world.forge.calls)
    code, found = world.bump(*flags, depth=depth)
    assert code == 0, found
    asked = [call.path for call in world.forge.calls[before:] if not call.path.endswith("/info/refs")]
    repository = sum(path.endswith("/git-upload-pack") for path in asked)
    return repository, len(asked) - repository


@pytest.mark.parametrize(
    ("mode", "depth", "least"),
    [
        ("plan", 0, (1, 2)),  # the refs; the files, and the pull requests of the commits
        ("plan", 1, (3, 2)),  # and the commits since the tag, and those before them
        ("verify", 0, (1, 1)),
        ("verify", 1, (1, 1)),
    ],
)
def test_a_decision_asks_a_few_times_however_many_commits_there_are(
    tmp_path: Path, mode: str, depth: int, least: tuple[int, int]
) -> None:
    with Forge(tmp_path / "forge") as forge:
        world = VersionWorld(forge, tmp_path, FILES, ["v1.0.0"])
        for number in range(12):
            world.repo.seed({f"a{number}": "1"}, f"feat: number {number}")
        assert rounds(world, "--mode", mode, depth=depth) == least
