"""I1, I2: a gate is left to another run only while that run tests what is pinned now."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from stagegate import settings as settings_file
from stagegate.clients.hub import ACTIONS_BOT, RunInfo
from stagegate.gate import already_done
from stagegate.gate.facts import Facts
from tests.gate.test_proven import RELEASE

POLICY = b"""\
app: shop
environments:
  - {name: prod, pins: [prod.yaml]}
"""
PIN = b"kind: Application\nspec: {source: {helm: {valueFiles: [$values/values.yaml]}}}\n"


class Github:
    """A pins repository in which run 7 moved the pin at `moved`, and is gating the release."""

    def __init__(self, values: bytes) -> None:
        self.at = {
            "moved": {"prod.yaml": PIN, "values.yaml": b"a: 1\n"},
            "head": {"prod.yaml": PIN, "values.yaml": values, "release.yml": b"uses: acme/stagegate@v1"},
        }

    repository = "acme/shop"

    def history(self, ref: str, first: int, path: str) -> list[Any]:  # noqa: ARG002
        trailers = {"Stagegate-Run": "7", "Stagegate-Environment": "prod"}
        return [SimpleNamespace(sha="moved", trailers=trailers, vouched=True, author=ACTIONS_BOT)]

    def files(self, at: str, paths: list[str]) -> dict[str, Any]:
        return {path: SimpleNamespace(content=self.at[at][path]) for path in paths}

    def run_info(self, run: str) -> RunInfo:  # noqa: ARG002
        return RunInfo(
            state="running",
            workflow="release.yml",
            branch="main",
            commit="moved",
            repository=self.repository,
            actor=ACTIONS_BOT,
        )

    def run_state(self, run: str) -> str:
        return self.run_info(run).state

    def default_branch(self) -> str:
        return "main"

    def contains(self, branch: str, sha: str) -> bool:
        return (branch, sha) == ("main", "moved")

    def statuses(self, sha: str) -> list[Any]:  # noqa: ARG002
        url = "https://github.example/acme/shop/actions/runs/7"
        context = "stagegate/shop/prod"
        return [SimpleNamespace(context=context, state="pending", target_url=url, creator=ACTIONS_BOT)]


@pytest.mark.parametrize(("values", "left_to"), [(b"a: 1\n", "7"), (b"a: 2\n", "")])
def test_values_changed_since_another_run_moved_the_pin_are_gated(values: bytes, left_to: str) -> None:
    settings = settings_file.parse(POLICY, "stagegate.yaml")
    environment, accepted = settings.environment("prod"), (ACTIONS_BOT,)
    known = SimpleNamespace(release=RELEASE, head="head", environment=environment, accepted=accepted)
    github = cast(Any, Github(values))
    assert already_done.looking(cast(Facts, known), github, github, "8", sleep=lambda _: None) == left_to
