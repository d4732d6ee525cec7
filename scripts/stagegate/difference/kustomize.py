"""Rendering of a kustomization, where kubectl or kustomize is there. Only for trees that we trust.

A kustomization may fetch from anywhere, so this is for the default branch with our own edits in it, never for
what a pull request of somebody else says.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from stagegate.chart import objects
from stagegate.chart.objects import RenderedObject
from stagegate.clients import git, process
from stagegate.errors import Stop


def build(
    repository: Path, revision: str, file: str, files: Mapping[str, bytes]
) -> tuple[RenderedObject, ...] | None:
    """What the kustomization in `file` renders at a commit of a local clone, with `files` in place of its own.

    None when there is no program for it here, or the clone does not have the commit: nothing can be said then.
    Stop(findings) when it does not build.
    """
    program = _program()
    if program is None or git.git(repository, "cat-file", "-e", revision, check=False).code:
        return None
    packed = git.git(repository, "archive", "--format=tar", revision).stdout
    with tempfile.TemporaryDirectory(prefix="stagegate-") as place:
        tree = Path(place)
        process.run("tar", "-xf", "-", "-C", place, input=packed)
        for name, content in files.items():
            (tree / name).write_bytes(content)
        content = (tree / file).read_bytes()
        charts = ("--enable-helm",) if b"helmCharts:" in content else ()
        done = process.run(*program, *charts, str((tree / file).parent), cwd=tree, check=False)
        if done.code:
            raise Stop(
                "findings",
                f"{file} does not build.",
                f"{done.errors.replace(place, '').strip()[-600:]}",
                f"Run `{' '.join(program)} {PurePosixPath(file).parent}` and correct what it says.",
                file=file,
            )
    return objects.parse(done.text, file)


def _program() -> tuple[str, ...] | None:
    if shutil.which("kustomize"):
        return ("kustomize", "build")
    return ("kubectl", "kustomize") if shutil.which("kubectl") else None
