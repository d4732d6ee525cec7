"""Every command of docs/runbooks.md is run as it is written there, with the lab's versions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stagegate import cli
from stagegate.clients.process import run
from tests.actions.test_pr_command import issue, say
from tests.promotion.shop_world import Shop, shop

PAGE = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text()
WRITTEN = {
    one or other
    for one, other in re.findall(
        r"^ *((?:stagegate |/)\S[^\n`]*)$|`((?:stagegate |/[a-z])[^`]*)`", PAGE, re.MULTILINE
    )
}
VERSIONS = {"1.4.0": "1.0.0", "1.5.0": "1.1.0"}  # of the page: of the lab
ELSEWHERE = {  # every test in test_staging_gate.py is run by this command; the other only names one
    "stagegate gate --environment prod",
    "/adopt",
}


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    """prod runs 1.0.0, and 1.1.0 has passed staging."""
    with shop(tmp_path, host) as made:
        made.passed("1.0.0", "prod")
        made.seed_pin("staging", "1.1.0")
        made.passed("1.1.0")
        yield made


Line = Callable[..., tuple[int, str]]


@pytest.fixture
def line(world: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Line:
    """Run a command line of the page in a clone; its exit code and what it printed."""
    clone = world.folder / "clone"
    run("git", "clone", "--quiet", str(world.repo.path), str(clone), cwd=world.folder)

    def typed(words: str, *, offline: bool = False) -> tuple[int, str]:
        for old, new in {**VERSIONS, '"$(gh auth token)"': world.token}.items():
            words = words.replace(old, new)
        run("git", "checkout", "--quiet", ".", cwd=clone)
        run("git", "pull", "--quiet", cwd=clone)
        environ = world.environ() | {"GITHUB_WORKSPACE": str(clone), "GITHUB_RUN_ID": ""}
        with monkeypatch.context() as patch:
            patch.chdir(clone)
            for name, value in environ.items():
                if offline and name != "PATH":
                    patch.delenv(name, raising=False)
                elif name not in ("GITHUB_OUTPUT", "SG_REPORT"):
                    patch.setenv(name, value)
            code = cli.main(words.split()[1:])
        return code, capsys.readouterr().out

    return typed


def pinned(world: Shop) -> str:
    """What the clone's work tree pins in prod."""
    return (world.folder / "clone/deploy/prod.yaml").read_text()


def test_a_rollback_by_hand_is_recorded(world: Shop, line: Line) -> None:
    world.seed_pin("prod", "1.1.0")
    world.passed("1.1.0", "prod")
    for words in ("stagegate rollback --local prod", "stagegate rollback --local prod 1.4.0"):
        code, said = line(words, offline=True)
        assert (code, 'targetRevision: "1.0.0"' in pinned(world)) == (0, True), said
    world.seed_pin("prod", "1.0.0")  # and merged past the required status
    number = issue(world)
    assert spoken(world, "/adopt prod GitHub Actions was down, went back to 1.4.0", number) == (
        0,
        "adopted",
    )
    world.seed_pin("prod", "1.1.0")
    assert spoken(world, "/adopt prod GitHub was down, went back to 1.4.0", number)[0] == 0
    assert spoken(world, "/ban 1.5.0 loses orders", number) == (0, "marked")
    code, said = line("stagegate plan --environment prod --version 1.4.0")
    assert (code, "to go back, use a rollback" in said) == (1, True), said


def test_a_release_held_during_an_outage_is_proposed_afterwards(world: Shop, line: Line) -> None:
    number = issue(world)
    assert spoken(world, "/hold all/prod Argo CD is down for 4h", number) == (0, "marked")
    code, said = line('stagegate promote-pr --mode evaluate --token "$(gh auth token)"')
    assert (code, world.hub().pulls()) == (0, []), said
    assert spoken(world, "/unhold all/prod", number) == (0, "unmarked")
    (pull,) = world.hub().pulls()
    assert pull.title == "Promote shop to prod: 1.0.0 → 1.1.0", (
        "lifting the hold proposes the release at once"
    )
    code, said = line('stagegate promote-pr --mode evaluate --token "$(gh auth token)"')
    assert code == 0, said
    code, said = line("stagegate audit --since 2026-01-31 --environment prod")
    assert (code, "octo-lead" in said) == (0, True), said
    assert spoken(world, "/status", number)[0] == 0


def test_every_command_of_the_page_is_run() -> None:
    text = Path(__file__).read_text()
    assert len(WRITTEN) >= 12
    assert {words for words in WRITTEN if f'"{words}"' not in text and f"'{words}'" not in text} <= ELSEWHERE


def spoken(world: Shop, words: str, number: int) -> tuple[int, str]:
    """Write a comment that the page suggests; exit code and reason of the step."""
    for old, new in VERSIONS.items():
        words = words.replace(old, new)
    return say(world, "octo-lead", words, number)[:2]
