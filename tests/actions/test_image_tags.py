"""image-tags as a whole: a real registry, and pushed images that get their names."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import image_tags
from lab.lab import outputs
from lab.registry import Registry
from stagegate.clients import registry
from stagegate.clients.registry import Manifest
from stagegate.model import digest_of
from stagegate.runner.boundary import entrypoint

PUSHED = "a" * 40  # what started the run


class World:
    """An app `pay` in a work tree, its image pushed, and a way to run the action there."""

    def __init__(self, root: Path, running: Registry) -> None:
        self.root, self.registry = root, running
        self.image = f"{running.host}/team/pay"
        self.work = root / "work"
        self.work.mkdir()
        (self.work / "stagegate.yaml").write_text(
            f"app: pay\nversion: {{tag-prefix: pay-v}}\nimages: [{self.image}]\n"
        )
        self.digest = self.push(b"the image")

    def push(self, layer: bytes) -> str:
        parts = [
            {"mediaType": "x/y", "digest": digest_of(data), "size": len(data)} for data in (b"{}", layer)
        ]
        kind = "application/vnd.oci.image.manifest.v1+json"
        document = {"schemaVersion": 2, "mediaType": kind, "config": parts[0], "layers": parts[1:]}
        manifest = Manifest(media_type=kind, raw=json.dumps(document).encode())
        client = registry.Registry(frozenset({self.registry.host}))
        client.push(f"{self.image}@{manifest.digest}", manifest, (b"{}", layer), replace=True)
        return manifest.digest

    def check_out(self) -> str:
        """Make the work tree a repository; its commit."""
        git = ("git", "-c", "user.name=octo-dev", "-c", "user.email=octo-dev@users.noreply.github.com")
        for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "release")):
            subprocess.run([*git, *words], cwd=self.work, check=True, capture_output=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], cwd=self.work, check=True, capture_output=True)
        return head.stdout.decode().strip()

    def run(self, *flags: str, digest: str = "", **environ: str) -> tuple[int, dict[str, str]]:
        out = self.root / "out"
        out.unlink(missing_ok=True)
        environment = {"GITHUB_WORKSPACE": str(self.work), "GITHUB_OUTPUT": str(out), **environ}
        digests = json.dumps({self.image: digest or self.digest})
        argv = ["--version", "1.2.0", "--digests", digests, *flags]
        code = entrypoint("image-tags", image_tags.ImageTags, image_tags.main, argv=argv, environ=environment)
        return code, outputs(out.read_text())

    def tags(self) -> set[str]:
        return set(self.registry.tags("team/pay"))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with Registry(tmp_path / "registry") as running:
        yield World(tmp_path, running)


def test_a_release_is_found_by_version_by_git_tag_and_by_its_own_commit(world: World) -> None:
    released = world.check_out()
    code, out = world.run(GITHUB_SHA=PUSHED)
    assert (code, out["reason"]) == (0, "tagged")
    short = world.digest.removeprefix("sha256:")[:12]
    assert world.tags() == {"v1.2.0", "pay-v1.2.0", f"sha-{released}", f"sha-{short}"}
    assert world.registry.digest("team/pay", "v1.2.0") == world.digest
    code, again = world.run(GITHUB_SHA=PUSHED)
    assert (code, again["outcome"], again["reason"]) == (0, "nothing-to-do", "no-difference")


def test_a_release_tag_never_moves(world: World) -> None:
    world.check_out()
    world.run()
    other, before = world.push(b"another image"), world.tags()
    code, out = world.run(digest=other)
    assert (code, out["reason"]) == (4, "tag-taken")
    assert world.tags() == before
    assert world.registry.digest("team/pay", "v1.2.0") == world.digest


def test_without_a_commit_nothing_is_tagged(world: World) -> None:
    code, out = world.run()
    assert (code, out["reason"]) == (2, "bad-input")
    assert world.tags() == set()


def test_a_dry_run_tags_nothing(world: World) -> None:
    world.check_out()
    code, out = world.run("--dry-run")
    assert (code, out["reason"]) == (0, "planned")
    assert len(json.loads(out["tags"])) == 4
    assert world.tags() == set()
