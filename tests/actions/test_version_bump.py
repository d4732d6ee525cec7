"""version-bump as a whole, with real git and the forge, and every way to interrupt or refuse it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.forge import Forge
from lab.programs import outputs
from stagegate.actions import version_bump
from stagegate.release.bump import apply as writing
from stagegate.runner.boundary import entrypoint

REPOSITORY = "acme/shop"
SETTINGS = """\
app: shop
version:
  files:
    - VERSION
    - {file: Chart.yaml, path: version}
  changelog: CHANGELOG.md
environments:
  - {name: prod, pins: [deploy/prod.yaml]}
"""
PIN = "spec: {sources: [{chart: shop, targetRevision: 1.0.0, helm: {valueFiles: [$values/deploy/values.yaml]}}]}\n"
FILES = {
    "stagegate.yaml": SETTINGS,
    "VERSION": "1.0.0\n",
    "Chart.yaml": "name: shop\nversion: 1.0.0 # moves\n",
    "CHANGELOG.md": "# Changelog\n\n## [1.0.0] - 2026-01-05\n\n- first\n",
    "deploy/prod.yaml": PIN,
    "deploy/values.yaml": "a: 1\n",
    "app.py": "one\n",
}


class World:
    """The shop at 1.0.0 on a forge, and a way to run the action in a shallow checkout of main."""

    def __init__(self, forge: Forge, root: Path) -> None:
        self.forge, self.root, self.runs = forge, root, 0
        self.repo = forge.repository(REPOSITORY)
        forge.collaborator(REPOSITORY, "octo-dev", "admin")
        self.sha = self.repo.seed(dict(FILES), "feat: open")
        self.git("tag", "--annotate", "-m", "shop 1.0.0", "v1.0.0", self.sha)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        identity = {
            f"GIT_{who}_{what}": "octo-dev" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.repo.path,
            env={**os.environ, **identity},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, message: str, path: str = "app.py", text: str = "") -> str:
        return self.repo.seed({path: text or message}, message)

    def bump(
        self, *flags: str, run: str = "77", token: str | None = None, **rights: str
    ) -> tuple[int, dict[str, str], str]:
        """Exit code, outputs and standard output of the action in a fresh depth-1 checkout."""
        self.runs += 1
        work = self.root / f"work-{self.runs}"
        self.git(
            "clone", "--quiet", "--depth=1", "--no-tags", f"file://{self.repo.path}", str(work), cwd=self.root
        )
        self.git("remote", "set-url", "origin", f"{self.forge.url}/{REPOSITORY}.git", cwd=work)
        if token is None:
            token = self.forge.token(
                "", "actions", repositories=[REPOSITORY], permissions=rights or {"contents": "write"}
            )
        out = self.root / f"out-{self.runs}"
        environ = {
            "GITHUB_WORKSPACE": str(work), "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_REF": "refs/heads/main",
            "GITHUB_RUN_ID": run, "GITHUB_API_URL": self.forge.url, "GITHUB_GRAPHQL_URL": f"{self.forge.url}/graphql",
            "GITHUB_SERVER_URL": self.forge.url, "GITHUB_OUTPUT": str(out), "SG_TOKEN": token, "RUNNER_TEMP": str(self.root),
        }  # fmt: skip
        code = entrypoint(
            "version-bump", version_bump.VersionBump, version_bump.main, argv=flags, environ=environ
        )
        self.work = work
        return code, outputs(out.read_text()), (work / "VERSION").read_text()

    @property
    def tags(self) -> list[str]:
        return self.git("tag", "--list").split()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0")
    with Forge(tmp_path / "forge") as forge:
        yield World(forge, tmp_path)


def test_a_feature_becomes_a_signed_commit_and_an_annotated_tag(world: World) -> None:
    world.commit("feat: tea (fixes #12)")
    code, out, local = world.bump()
    assert (code, out["reason"], out["version"], out["changed"]) == (0, "released", "1.1.0", "true")
    assert local == "1.1.0\n"
    assert world.repo.head("main") == out["sha"]
    assert world.repo.read("main", "Chart.yaml") == b"name: shop\nversion: 1.1.0 # moves\n"
    assert b"## [1.1.0]" in world.repo.read("main", "CHANGELOG.md")
    assert world.git("cat-file", "-t", "v1.1.0") == "tag"
    assert world.git("rev-parse", "v1.1.0^{commit}") == out["sha"]
    message = world.git("log", "-1", "--format=%B", "main")
    assert "Stagegate-App: shop\nStagegate-Version: 1.1.0\nStagegate-Run: 77" in message
    assert "#12" not in world.git("cat-file", "-p", "v1.1.0")


def test_killed_before_the_refs_move_nothing_is_released_and_the_next_attempt_does_it(world: World) -> None:
    head = world.commit("feat: tea")
    world.forge.fail("POST", "/git/(tags|refs)", None, 500)
    assert world.bump()[0] == 3
    assert (world.repo.head("main"), world.tags) == (head, ["v1.0.0"])
    world.forge.heal()
    code, out, _ = world.bump()
    assert (code, out["version"], out["sha"], out["changed"]) == (0, "1.1.0", world.repo.head("main"), "true")
    assert world.tags == ["v1.0.0", "v1.1.0"]
    assert world.git("branch", "--list", "stagegate/*") == ""
    again = world.bump()[1]
    assert (again["reason"], again["sha"], again["notes"]) == ("released", out["sha"], out["notes"])


def test_plan_and_verify_need_only_the_local_clone(world: World, tmp_path: Path) -> None:
    world.commit("feat: tea")
    work = tmp_path / "local"
    world.git("clone", "--quiet", str(world.repo.path), str(work), cwd=tmp_path)
    world.git("remote", "set-url", "origin", "file:///nowhere", cwd=work)
    for mode, reason, version in (("plan", "planned", "1.1.0"), ("verify", "verified", "1.0.0")):
        out = tmp_path / mode
        environ = {"GITHUB_WORKSPACE": str(work), "GITHUB_OUTPUT": str(out), "RUNNER_TEMP": str(tmp_path)}
        argv = ("--mode", mode)
        assert (
            entrypoint(
                "version-bump", version_bump.VersionBump, version_bump.main, argv=argv, environ=environ
            )
            == 0
        )
        assert (outputs(out.read_text())["reason"], outputs(out.read_text())["version"]) == (reason, version)


def test_the_checkout_is_left_as_it_was(world: World) -> None:
    world.commit("feat: tea")
    world.bump("--mode", "plan")
    config = (world.work / ".git/config").read_text()
    assert "promisor" not in config
    assert "partial" not in config
    assert world.git("rev-list", "--count", "HEAD", cwd=world.work) == "1"


def test_another_run_leaves_the_released_commit_alone(world: World) -> None:
    world.commit("feat: tea")
    world.bump(run="77")
    code, out, _ = world.bump(run="78")
    assert (code, out["reason"], out["changed"], out["version"]) == (0, "already-released", "false", "1.1.0")


def test_moving_pins_and_values_releases_nothing(world: World) -> None:
    world.commit("feat: tea")
    world.bump(run="77")
    world.commit("feat: promote shop 1.1.0", "deploy/prod.yaml", PIN.replace("1.0.0", "1.1.0"))
    world.commit("fix: more memory", "deploy/values.yaml", "a: 2\n")
    code, out, _ = world.bump(run="78")
    assert (code, out["reason"]) == (0, "no-release-needed")
    assert world.tags == ["v1.0.0", "v1.1.0"]


def test_a_branch_that_moves_during_the_run_keeps_both_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.commit("fix: cup")
    written: Any = writing.apply
    moved: list[str] = []

    def late(*args: Any, **kwargs: Any) -> Any:
        if not moved:
            moved.append(world.commit("feat: late", "late.py", "late\n"))
        return written(*args, **kwargs)

    monkeypatch.setattr(writing, "apply", late)
    code, out, _ = world.bump()
    assert (code, out["version"]) == (0, "1.1.0")
    assert world.repo.read("main", "late.py") == b"late\n"
    assert world.git("rev-parse", f"{out['sha']}^") == moved[0]


def test_a_dry_run_prints_the_plan_and_writes_nothing(world: World) -> None:
    head = world.commit("feat: tea")
    code, out, local = world.bump("--dry-run")
    assert (code, out["reason"], out["version"], local) == (0, "planned", "1.1.0", "1.0.0\n")
    assert (world.repo.head("main"), world.tags) == (head, ["v1.0.0"])
    assert not [
        call for call in world.forge.calls if call.write and call.operation != "query" and call.mutations
    ]


def test_a_hotfix_line_counts_from_its_own_tag(world: World) -> None:
    world.commit("feat: tea")
    world.bump()
    world.git("branch", "release/1.0", "v1.0.0^{commit}")
    world.repo.seed({"app.py": "hot\n"}, "fix: burnt tongue", "release/1.0")
    code, out, _ = world.bump("--branch", "release/1.0")
    assert (code, out["version"], out["previous"]) == (0, "1.0.1", "1.0.0")


@pytest.mark.parametrize(
    ("rights", "flags", "reason", "code"),
    [
        ({"contents": "read"}, (), "missing-permission", 2),
        ({"contents": "write"}, ("--bump", "1.0"), "bad-input", 2),
        ({"contents": "write"}, ("--config", "../other.yaml"), "bad-input", 2),
        ({"contents": "write"}, ("--config", "none.yaml"), "missing-file", 2),
        ({"contents": "write"}, ("--bump", "1.0.0"), "tag-taken", 4),
        ({"contents": "write"}, ("--branch", "gone"), "bad-input", 2),
    ],
)
def test_every_refusal_is_one_annotation_and_changes_nothing(
    world: World,
    capsys: pytest.CaptureFixture[str],
    rights: dict[str, str],
    flags: tuple[str, ...],
    reason: str,
    code: int,
) -> None:
    head = world.commit("feat: tea")
    seen, out, _ = world.bump(*flags, **rights)
    assert (seen, out["reason"]) == (code, reason)
    errors = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::error")]
    assert len(errors) == 1
    assert (world.repo.head("main"), world.tags) == (head, ["v1.0.0"])


def test_a_protected_branch_names_the_cure(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.commit("feat: tea")
    world.forge.protect(REPOSITORY, "main", require_pull_request=True)
    code, out, _ = world.bump()
    assert (code, out["reason"]) == (2, "protected-branch")
    assert "bypass" in capsys.readouterr().out


def test_verify_names_files_and_tags_that_disagree(world: World) -> None:
    world.commit("chore: drift", "Chart.yaml", "name: shop\nversion: 1.0.1\n")
    code, out, _ = world.bump("--mode", "verify")
    assert (code, out["reason"]) == (1, "findings")
    (finding,) = json.loads(Path(out["report"]).read_text())["findings"]
    assert (finding["file"], finding["line"]) == ("Chart.yaml", 2)
