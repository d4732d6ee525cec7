"""What an evaluation costs does not grow with the apps, but with what is open."""

from __future__ import annotations

from pathlib import Path

from .many_apps import evaluate, quiet


def test_sixty_apps_with_nothing_open_cost_ten_requests(tmp_path: Path, host: str) -> None:
    with quiet(tmp_path, host, 60) as world:
        assert evaluate(world) <= 10
        assert world.report()["calls"] == {"read": evaluate(world), "write": 0}, (
            "each request is counted once"
        )
