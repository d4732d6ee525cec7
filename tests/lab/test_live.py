"""The checks for the real GitHub pass on the forge, and can fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import live
from lab.forge import Forge
from stagegate.clients import hub

REPOSITORY = "acme/scratch"


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with Forge(tmp_path / "forge") as made:
        repo = made.repository(REPOSITORY)
        repo.seed({"README.md": "scratch\n"})
        made.collaborator(REPOSITORY, "octo-admin", "admin")
        yield made


def run(forge: Forge, token: str, *arguments: str) -> int:
    environ = {
        "GITHUB_TOKEN": token,
        "GITHUB_API_URL": forge.url,
        "GITHUB_GRAPHQL_URL": f"{forge.url}/graphql",
        "GITHUB_SERVER_URL": forge.url,
    }
    return live.main(arguments or (REPOSITORY,), environ)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0.01")


RIGHTS = dict.fromkeys(("contents", "statuses", "deployments", "pull_requests", "issues"), "write")


@pytest.mark.parametrize("kind", ["person", "actions"])
def test_every_live_check_passes_on_the_forge(
    forge: Forge, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = (
        forge.token("octo-admin")
        if kind == "person"
        else forge.token("", "actions", repositories=[REPOSITORY], permissions=RIGHTS)
    )
    code = run(forge, token)
    said = capsys.readouterr().out
    assert code == 0, said
    report = json.loads((tmp_path / live.REPORT).read_text())
    assert [answer["check"] for answer in report["answers"]] == [check.name for check in live.CHECKS]
    assert token not in said + json.dumps(report)
    seen = hub.connect(
        REPOSITORY, token, api_url=forge.url, graphql_url=f"{forge.url}/graphql", server_url=forge.url
    )
    left = {*seen.refs("refs/heads/"), *seen.refs("refs/tags/")}
    assert left == {"refs/heads/main"}, "the clean-up removes every ref"


def test_an_unexpected_response_is_reported(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    forge.fail("POST", "/deployments$", None, 422)
    assert run(forge, forge.token("octo-admin")) == 1
    assert "OTHERWISE    deployments" in capsys.readouterr().out


def test_without_a_token_or_repository_there_is_no_request(
    forge: Forge,
) -> None:
    assert run(forge, "") == 2
    assert run(forge, "x", "not a repository") == 2
    assert not forge.calls
