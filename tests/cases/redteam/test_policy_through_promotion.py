"""Other changes inside a promotion that stagegate merges itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.redteam.test_trust import BOT, clone, git, merged_by_us, run, web
from tests.promotion.shop_world import Shop


@pytest.mark.parametrize(
    ("path", "text"), [("stagegate.yaml", None), (".github/workflows/evil.yml", "on: push\n")]
)
def test_one_person_does_not_get_policy_or_workflows_onto_main(
    tmp_path: Path, host: str, path: str, text: str | None
) -> None:
    with merged_by_us(tmp_path, host) as world:
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        code, told = run(world, environment="prod")
        number = int(told["pr-number"])
        folder = clone(world, tmp_path / "clone")
        branch = "stagegate/promote/shop/prod"
        git(folder, "checkout", "-q", branch)
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(
            text if text is not None else place.read_text().replace("    after: [staging]\n", "")
        )
        git(folder, "add", "-A")
        said = "chore: promote\n\nStagegate-App: shop\nStagegate-Version: 1.1.0\nStagegate-Environment: prod\nStagegate-Run: 77"
        git(folder, "commit", "-qm", said, GIT_AUTHOR_NAME="x", GIT_AUTHOR_EMAIL=BOT)
        git(folder, "push", "-q", web(world), f"HEAD:refs/heads/{branch}")
        world.review(number, "octo-dev", "APPROVE")
        code, told = run(world, mode="evaluate")
        print("TOLD", code, told["reason"])
        assert told["reason"] != "merged"
