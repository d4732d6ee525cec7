"""GitHub's descriptions of its interfaces, from their packages on the public index of npm."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from lab import toolbox
from stagegate import libraries

OPENAPI = "@octokit/openapi"
# Newer packages describe no GHES 3.16 any more, the least version that stagegate supports.
VERSIONS = {"api.github.com": "23.0.2", "ghes-3.16": "22.0.0"}
GRAPHQL = ("@octokit/graphql-schema", "15.26.1")


class NotReachable(Exception):
    """npm is not installed, or the index does not respond."""


def rest(name: str, environ: dict[str, str]) -> dict[str, Any]:
    """An OpenAPI description: `api.github.com`, or `ghes-3.16`. NotReachable."""
    folder = _package(OPENAPI, VERSIONS[name], environ)
    text = (folder / "generated" / f"{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def graphql(environ: dict[str, str]) -> str:
    """GitHub's GraphQL schema. NotReachable."""
    return (_package(*GRAPHQL, environ) / "schema.graphql").read_text(encoding="utf-8")


def _package(name: str, version: str, environ: dict[str, str]) -> Path:
    root = toolbox.cache(environ)
    folder = root / f"npm-{name.replace('/', '-').lstrip('@')}-{version}"
    if not folder.is_dir():
        npm = shutil.which("npm", path=environ.get("PATH"))
        if npm is None:
            raise NotReachable("npm is not installed, and the descriptions come from its index.")
        root.mkdir(parents=True, exist_ok=True)
        libraries.ensure(str(folder), lambda home: _fetch(npm, f"{name}@{version}", Path(home)))
    return folder


def _fetch(npm: str, package: str, home: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="npm-") as work:
        completed = subprocess.run(
            [npm, "pack", "--silent", package],
            cwd=work,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        archives = list(Path(work).glob("*.tgz"))
        if completed.returncode or not archives:
            last = completed.stderr.strip().splitlines()[-1:] or ["no archive came"]
            raise NotReachable(f"{package} cannot be fetched: {last[0]}")
        with tarfile.open(archives[0]) as archive:
            archive.extractall(work, filter="data")
        shutil.copytree(Path(work) / "package", home, dirs_exist_ok=True)
