"""Changes that the blobs at merge base and head do not show."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from stagegate.clients import hub
from tests.actions.test_pin_guard import PROD, guard, propose, status, to
from tests.promotion.shop_world import Shop

VALUES = "deploy/values/prod.yaml"


def clone(world: Shop, folder: Path) -> Path:
    subprocess.run(["git", "clone", "-q", str(world.repo.store.path), str(folder)], check=True)
    for key, value in (("user.name", "octo-dev"), ("user.email", "octo-dev@users.noreply.github.com")):
        subprocess.run(["git", "-C", str(folder), "config", key, value], check=True)
    return folder


def git(folder: Path, *argv: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *argv], check=True, capture_output=True, text=True
    ).stdout


def push(world: Shop, folder: Path, branch: str) -> str:
    git(folder, "push", "-q", "origin", f"HEAD:refs/heads/{branch}")
    return git(folder, "rev-parse", "HEAD").strip()


def opened(world: Shop, branch: str) -> hub.Pull:
    pull = world.hub(world.forge.token("octo-dev")).open_pull("mine", "", branch, "main")
    assert pull is not None
    return pull


def link(folder: Path, path: str, target: bytes, evil: str) -> None:
    """Turn a file into a symbolic link whose target is the file's own text, and put a file there."""
    place = folder / path
    place.unlink()
    os.symlink(target, os.fsencode(place))
    real = os.path.join(os.fsencode(place.parent), target)
    os.makedirs(os.path.dirname(real), exist_ok=True)
    with open(real, "wb") as file:
        file.write(evil.encode())


@pytest.mark.parametrize("path", [VALUES, PROD])
def test_a_file_that_becomes_a_link_of_the_same_bytes_never_passes(
    world: Shop, tmp_path: Path, path: str
) -> None:
    """Same blob, mode 120000: a checkout contains a link to another file."""
    folder = clone(world, tmp_path / "clone")
    before = (folder / path).read_bytes()
    evil = "replicas: 0\n" if path == VALUES else world.pins("prod").replace("1.0.0", "1.1.0")
    link(folder, path, before, evil)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "feat: tidy")
    push(world, folder, "mine")
    pull = opened(world, "mine")
    assert (folder / path).read_text() == evil, "a checkout reads the target of the link"
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    assert found[0] in ("failure", "error")


def test_an_older_pull_request_that_moves_a_renamed_pin_never_passes(world: Shop, tmp_path: Path) -> None:
    """Git follows the rename when it merges; the pull request's own merge base has no pin at the new place."""
    folder = clone(world, tmp_path / "clone")
    git(folder, "checkout", "-qb", "mine")
    pin = folder / PROD
    pin.write_text(pin.read_text().replace("1.0.0", "1.1.0"))
    git(folder, "commit", "-qam", "feat: mine")
    push(world, folder, "mine")
    text = world.repo.read("main", "stagegate.yaml").decode().replace(PROD, "deploy/argocd/prod.yaml")
    git(folder, "checkout", "-q", "main")
    (folder / "deploy/argocd").mkdir()
    git(folder, "mv", PROD, "deploy/argocd/prod.yaml")
    (folder / "stagegate.yaml").write_text(text)
    git(folder, "commit", "-qam", "chore: pins in their own folder")
    push(world, folder, "main")
    pull = opened(world, "mine")
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    merged = subprocess.run(
        ["git", "-C", str(folder), "merge", "-q", "--no-edit", "mine"], capture_output=True, text=True
    )
    after = (folder / "deploy/argocd/prod.yaml").read_text()
    assert "1.1.0" in after, "the merge moves the pin"
    assert found[0] in ("failure", "error", "pending")


def test_an_older_pull_request_that_changes_renamed_values_never_passes(world: Shop, tmp_path: Path) -> None:
    folder = clone(world, tmp_path / "clone")
    git(folder, "checkout", "-qb", "mine")
    (folder / VALUES).write_text("replicas: 0\n")
    git(folder, "commit", "-qam", "feat: mine")
    push(world, folder, "mine")
    git(folder, "checkout", "-q", "main")
    git(folder, "mv", VALUES, "deploy/values/production.yaml")
    text = (folder / PROD).read_text().replace("deploy/values/prod.yaml", "deploy/values/production.yaml")
    (folder / PROD).write_text(text)
    git(folder, "commit", "-qam", "chore: a better name")
    push(world, folder, "main")
    pull = opened(world, "mine")
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    subprocess.run(
        ["git", "-C", str(folder), "merge", "-q", "--no-edit", "mine"], capture_output=True, text=True
    )
    after = (folder / "deploy/values/production.yaml").read_text()
    assert "0" not in after or found[0] in ("failure", "error", "pending")


def test_a_folder_of_values_that_becomes_a_link_never_passes(world: Shop, tmp_path: Path) -> None:
    folder = clone(world, tmp_path / "clone")
    git(folder, "checkout", "-qb", "mine")
    git(folder, "mv", "deploy/values", "deploy/v2")
    (folder / "deploy/v2/prod.yaml").write_text("replicas: 0\n")
    os.symlink("v2", folder / "deploy/values")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "feat: mine")
    push(world, folder, "mine")
    pull = opened(world, "mine")
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    assert found[0] in ("failure", "error")


def test_optional_values_behind_a_linked_folder_never_pass(world: Shop, tmp_path: Path) -> None:
    """With ignoreMissingValueFiles a file that stagegate cannot see counts as empty; Argo CD follows the link."""
    text = world.pins("prod").replace(
        "        valueFiles:", "        ignoreMissingValueFiles: true\n        valueFiles:"
    )
    world.repo.seed({PROD: text, "deploy/values/prod.yaml": "replicas: 1\n"})
    folder = clone(world, tmp_path / "clone")
    git(folder, "checkout", "-qb", "mine")
    git(folder, "mv", "deploy/values", "deploy/v2")
    (folder / "deploy/v2/prod.yaml").write_text("replicas: 0\n")
    os.symlink("v2", folder / "deploy/values")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "feat: mine")
    push(world, folder, "mine")
    pull = opened(world, "mine")
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    assert found[0] in ("failure", "error")


def test_a_change_between_two_merge_bases_never_passes(world: Shop, tmp_path: Path) -> None:
    """Two merge bases: GitHub compares with one of them, git merges with both."""
    folder = clone(world, tmp_path / "clone")
    base_text = (folder / PROD).read_text()

    def set_pin(version: str, message: str) -> None:
        (folder / PROD).write_text(base_text.replace("1.0.0", version))
        git(folder, "commit", "-qam", message)

    git(folder, "checkout", "-qb", "other")
    (folder / "x").write_text("x\n")
    git(folder, "add", "x")
    git(folder, "commit", "-qm", "feat: x")
    git(folder, "checkout", "-q", "main")
    set_pin("1.1.0", "promote")
    a = git(folder, "rev-parse", "HEAD").strip()
    git(folder, "merge", "-q", "--no-edit", "other")
    git(folder, "checkout", "-q", "other")
    git(folder, "merge", "-q", "--no-edit", a)
    git(folder, "checkout", "-q", "main")
    set_pin("1.0.0", "rolled back")
    push(world, folder, "main")
    git(folder, "checkout", "-q", "other")
    (folder / "y").write_text("y\n")
    git(folder, "add", "y")
    git(folder, "commit", "-qm", "feat: y")
    push(world, folder, "mine")
    pull = opened(world, "mine")
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    bases = git(folder, "merge-base", "--all", "main", "other").split()
    git(folder, "checkout", "-q", "main")
    merged = subprocess.run(
        ["git", "-C", str(folder), "merge", "-q", "--no-edit", "other"], capture_output=True, text=True
    )
    after = (folder / PROD).read_text()
    moves = "1.1.0" in after and not merged.returncode
    assert not moves or found[0] in ("failure", "error")
