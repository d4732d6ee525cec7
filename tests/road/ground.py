"""The servers that newcomers share, and a `docker` that pushes without building."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.forge import Forge
from lab.registry import Registry
from lab.servers import ROOT, toolkit

# `docker login` and `docker buildx build --push --tag X --metadata-file Y`, with an image that answers its tag.
DOCKER = """\
#!{python}
import json, sys
sys.path[:0] = [{root!r}]
from pathlib import Path
from tests.lab.argo_world import World
words = sys.argv[1:]
if words[0] == "buildx":
    options = dict(zip(words, words[1:]))
    assert Path(words[-1]).is_dir(), words
    assert Path(options.get("--file", words[-1] + "/Dockerfile")).is_file(), words
    image, _, tag = options["--tag"].rpartition(":")
    host, _, repository = image.partition("/")
    digest = World(Path(), host).image(tag, tag, repository)
    Path(options["--metadata-file"]).write_text(json.dumps({{"containerimage.digest": digest}}))
"""


@dataclass
class Ground:
    """The servers that all newcomers share: a GitHub, a registry, and the toolkit as act reads it."""

    root: Path
    forge: Forge
    registry: Registry
    toolkit: Path


@contextmanager
def ground(root: Path) -> Iterator[Ground]:
    """Start it, with a `docker` on PATH that pushes to the registry without building."""
    docker = root / "bin" / "docker"
    docker.parent.mkdir(parents=True)
    docker.write_text(DOCKER.format(python=sys.executable, root=str(ROOT)))
    docker.chmod(0o755)
    with (
        pytest.MonkeyPatch.context() as patch,
        Registry(root / "registry") as registry,
        Forge(root / "forge") as forge,
    ):
        patch.setenv("PATH", f"{docker.parent}:{os.environ['PATH']}")
        yield Ground(root, forge, registry, toolkit(root))
