"""Every kind of checkout gives the same decision and stays unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import histories
from tests.clients.test_git import Repository

KINDS = ("--depth=1", "--filter=tree:0", "--depth=2 --filter=tree:0")
MARKS = ("config", "shallow", "packed-refs")


def marks(work: Path) -> dict[str, bytes]:
    """The files that describe a clone, and the names of its objects."""
    found = {name: (work / ".git" / name) for name in MARKS}
    objects = "\n".join(sorted(str(file) for file in (work / ".git/objects").rglob("*")))
    return {name: file.read_bytes() for name, file in found.items() if file.exists()} | {
        "objects": objects.encode()
    }


@pytest.mark.parametrize("format", ["sha1", "sha256"])
def test_every_kind_of_checkout_decides_the_same_and_stays_unchanged(tmp_path: Path, format: str) -> None:
    origin = Repository(tmp_path / "origin", f"--object-format={format}")
    origin.git("config", "uploadpack.allowFilter", "true")
    origin.commit("chore: start", {"src/a": "1"})
    origin.commit("feat: open", {"VERSION": "1.0.0\n", "deploy/prod.yaml": "a: 1\n"})
    origin.git("tag", "v1.0.0")
    origin.commit("feat: a pin alone", {"deploy/prod.yaml": "a: 2\n"})
    origin.commit("fix: another deployment", {"deploy/other.yaml": "a: 2\n"})
    for number, flags in enumerate(KINDS):
        work = tmp_path / str(number)
        origin.git("clone", "--quiet", "--no-tags", *flags.split(), f"file://{origin.path}", str(work))
        before = marks(work)
        assert histories.decide(work, "1.0.0", origin.path).version == "1.0.1", flags
        assert marks(work) == before, flags
