"""When services are down: a rollback from the clone alone, and a manual change recorded under a person's name."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagegate import cli
from tests.actions.test_pr_command import issue, say
from tests.promotion.shop_world import Shop, shop
from tests.promotion.steps import promote_pr

PROD = "deploy/prod.yaml"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone whose prod was pinned to 1.0.0, 1.1.0, 1.2.0 and then 1.3.0; no server can be reached."""
    folder = tmp_path / "clone"
    (folder / "deploy").mkdir(parents=True)
    (folder / "stagegate.yaml").write_text(
        "app: shop\nimages: [ghcr.io/acme/shop]\n"
        "environments:\n  - {name: prod, pins: [{file: deploy/prod.yaml, path: tag, value: 'v{version}'}]}\n"
    )
    git(folder, "init", "-q", "-b", "main")
    for version in ("1.0.0", "1.1.0", "1.2.0", "1.3.0"):
        (folder / PROD).write_text(f"tag: v{version} # kept\n")
        git(folder, "add", "-A")
        git(folder, "commit", "-q", "-m", version)
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "SG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    return folder


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=octo", "-c", "user.email=octo@example.com")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def ban(clone: Path, version: str) -> None:
    """A ban on its branch, as a command writes it."""
    git(clone, "checkout", "-q", "--orphan", f"stagegate/ban/shop/{version}")
    mark = '{"kind":"ban","owner":"o","reason":"r","since":"2026-01-01T00:00:00Z"}'
    (clone / "mark.json").write_text(mark)
    git(clone, "add", "mark.json")
    git(clone, "commit", "-q", "-m", "ban", "mark.json")
    git(clone, "checkout", "-q", "-f", "main")


@pytest.mark.parametrize(
    "words", [["--local", "prod"], ["prod", "--local"], ["--local", "--environment", "prod"]]
)
def test_a_rollback_finds_its_target_in_the_clone(
    clone: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["rollback", *words]) == 0
    assert (clone / PROD).read_text() == "tag: v1.2.0 # kept\n"
    assert "No evidence was read" in capsys.readouterr().out


def test_a_rollback_skips_a_banned_release_and_accepts_a_named_one(clone: Path) -> None:
    ban(clone, "1.2.0")
    assert cli.main(["rollback", "--local", "prod"]) == 0
    assert "v1.1.0" in (clone / PROD).read_text()
    git(clone, "checkout", "-q", PROD)
    assert cli.main(["rollback", "--local", "prod", "1.0.0"]) == 0
    assert "v1.0.0" in (clone / PROD).read_text()
    assert cli.main(["rollback", "--local", "prod", "2.0.0"]) == 2


@pytest.mark.parametrize(
    ("form", "target"),
    [
        ("clone", "1.1.0"),
        ("shallow", "1.2.0"),
        ("too shallow", ""),
        ("worktree", "1.1.0"),
        ("dirty", "1.1.0"),
    ],
)
def test_a_rollback_finds_its_target_in_every_kind_of_clone(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, target: str
) -> None:
    """In a fresh clone the ban is a branch of origin; a shallow one has fetched one branch only."""
    ban(clone, "1.2.0")
    folder, origin = tmp_path / "other", f"file://{clone}"
    if form == "clone":
        git(clone, "clone", "-q", origin, str(folder))
    elif "shallow" in form:
        git(clone, "clone", "-q", "--depth", "1" if form == "too shallow" else "2", origin, str(folder))
    elif form == "worktree":
        git(clone, "worktree", "add", "-q", "--detach", str(folder))
    else:
        folder = clone
        (clone / PROD).write_text("tag: v1.2.0 # kept\n")
    monkeypatch.chdir(folder)
    assert cli.main(["rollback", "--local", "prod"]) == (0 if target else 1)
    assert (folder / PROD).read_text() == f"tag: v{target or '1.3.0'} # kept\n"


def test_without_an_older_release_nothing_is_edited(clone: Path) -> None:
    git(clone, "checkout", "-q", "HEAD~3")
    assert cli.main(["rollback", "--local", "prod"]) == 1
    assert "v1.0.0" in (clone / PROD).read_text()


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    """Somebody pinned prod to 1.1.0 by hand, and no gate ever passed it."""
    with shop(tmp_path, host) as made:
        made.seed_pin("prod", "1.1.0")
        yield made


def pushed(world: Shop) -> tuple[int, list[str]]:
    """The evaluation after a push of the default branch: its exit code, and the rules of its findings."""
    environ = world.environ(mode="evaluate", environment="prod") | {"GITHUB_EVENT_NAME": "push"}
    code = promote_pr(environ)
    world.outputs()
    return code, [finding["rule"] for finding in world.report()["findings"] if finding["severity"] == "error"]


def test_an_adopted_manual_change_gives_no_finding_and_names_the_person(world: Shop) -> None:
    assert pushed(world) == (1, ["unproven-pin"])
    number = issue(world)
    code, reason, text = say(world, "octo-dev", "/adopt prod the registry was down", number)
    assert (code, reason) == (0, "adopted")
    assert "adopted by octo-dev: the registry was down" in text
    assert pushed(world) == (0, [])
    (record,) = world.hub().deployments("stagegate:shop", environment="prod")
    assert (record.payload["kind"], record.payload["actor"]) == ("adopt", "octo-dev")
    assert "the registry was down" in record.payload["checks"][0]["detail"]
    assert say(world, "octo-dev", "/adopt prod once more", number)[:2] == (0, "already-passed")


def test_adopting_needs_the_permission_and_is_no_evidence_for_later_environments(world: Shop) -> None:
    assert say(world, "octo-guest", "/adopt prod it is fine")[:2] == (1, "not-authorised")
    world.seed_pin("staging", "1.1.0")
    world.seed_pin("prod", "1.0.0")
    assert say(world, "octo-dev", "/adopt staging it is fine")[:2] == (0, "adopted")
    assert say(world, "octo-dev", "/promote prod 1.1.0")[:2] == (1, "no-evidence")
