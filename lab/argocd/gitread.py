"""Reads bare Git repositories: heads, revisions, files, whole trees."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from lab.argocd import archives

SHA = re.compile(r"[0-9a-f]{40}")


class NoSuchRevision(Exception):
    """The repository has no such branch, tag or commit."""


def git(repository: Path, *args: str) -> bytes:
    """Output of one git command on a bare repository, without the caller's GIT_* variables."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    completed = subprocess.run(
        ["git", f"--git-dir={repository}", *args], capture_output=True, env=env, check=False, timeout=30
    )
    if completed.returncode:
        raise NoSuchRevision(completed.stderr.decode(errors="replace").strip())
    return completed.stdout


def head(repository: Path, branch: str) -> str | None:
    """Commit of a branch, or None when there is none yet."""
    try:
        return commit_of(repository, branch)
    except NoSuchRevision:
        return None


def _loose(repository: Path, name: str) -> str | None:
    """A ref's own file saves a process: heads are asked for several times a second."""
    try:
        text = (repository / name).read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return text if SHA.fullmatch(text) else None


def commit_of(repository: Path, revision: str) -> str:
    """Commit of any revision; branches before tags, `HEAD` and empty mean the default branch."""
    if SHA.fullmatch(revision):
        return revision
    loose = _loose(repository, f"refs/heads/{revision}") if revision else None
    if loose:
        return loose
    names = [f"refs/heads/{revision}", f"refs/tags/{revision}", revision] if revision else ["HEAD"]
    for name in names:
        try:
            commit = git(
                repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
            )
            return commit.decode().strip()
        except NoSuchRevision:
            continue
    raise NoSuchRevision(f"unable to resolve '{revision}' to a commit SHA")


def peels_tags(version: str) -> bool:
    """Whether this Argo CD shows the commit of an annotated tag: since 2.13.8, 2.14.8, 3.0.23 and 3.1."""
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    return (major, minor) > (3, 0) or patch >= {(2, 13): 8, (2, 14): 8, (3, 0): 23}.get((major, minor), 1000)


def tag_object(repository: Path, revision: str) -> str | None:
    """The id of the annotated tag that a revision names, or None when it names no such tag."""
    try:
        tag = git(repository, "rev-parse", "--verify", "--quiet", f"refs/tags/{revision}^{{tag}}")
    except NoSuchRevision:
        return None
    return tag.decode().strip()


def files(repository: Path, commit: str, folder: str) -> dict[str, str]:
    """Path -> text of every YAML and JSON file under `folder`."""
    listed = git(repository, "ls-tree", "-r", "-z", "--name-only", commit, "--", folder.rstrip("/") + "/")
    names = [name for name in listed.decode().split("\0") if name.endswith((".yaml", ".yml", ".json"))]
    return {name: git(repository, "show", f"{commit}:{name}").decode() for name in names}


def export(repository: Path, commit: str, store: Path) -> Path:
    """The commit's tree as a folder below `store`, made once."""
    folder = store / commit
    if not folder.exists():
        store.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=commit, dir=store))
        with tarfile.open(fileobj=io.BytesIO(git(repository, "archive", commit)), mode="r:") as archive:
            archives.extract_all(archive, part)
        try:
            part.rename(folder)
        except OSError:  # another reconciler has exported it meanwhile
            shutil.rmtree(part)
    return folder
