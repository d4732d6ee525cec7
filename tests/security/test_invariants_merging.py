"""I1: stagegate merges only its own commits, or commits approved by a person who wrote none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promotion.shop_world import REPOSITORY, RIGHTS, Shop, shop
from tests.promotion.steps import promote_pr

STAGING = "stagegate/promote/shop/staging"
BY_US = {"strategy: direct}": "strategy: latest, merge: stagegate, approvals: APPROVAL}"}


def run(world: Shop, **inputs: str) -> str:
    """One step of promote-pr; its reason."""
    promote_pr(world.environ(verify_workflow="none", **inputs))
    return world.outputs()["reason"]


@pytest.mark.parametrize("approval", ["0", "1"])
def test_a_persons_commit_on_our_branch_is_not_merged_by_its_author_alone(
    tmp_path: Path, host: str, approval: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    change = {key: text.replace("APPROVAL", approval) for key, text in BY_US.items()}
    with shop(tmp_path, host, changes=change) as world:
        person = world.hub(world.forge.token("octo-dev"))
        base = person.head("main")
        assert base is not None
        person.create_ref(f"refs/heads/{STAGING}", base)
        mine = world.pins("staging") + "# mine\n"
        person.create_commit(STAGING, base, "feat: mine", "", {"deploy/staging.yaml": mine.encode()})
        opener = person if approval == "0" else world.hub()
        pull = opener.open_pull("mine", "", STAGING, "main")
        assert pull is not None
        if approval == "1":
            world.review(pull.number, "octo-dev", "APPROVE")
        run(world, mode="evaluate", environment="staging")
        assert world.repo.head("main") == base, "merged without anybody else"
        world.review(pull.number, "octo-lead", "APPROVE")
        assert run(world, mode="evaluate", environment="staging") == "merged"


@pytest.mark.parametrize("path", ["stagegate.yaml", "CODEOWNERS", "deploy/values/staging.yaml"])
def test_a_change_besides_pins_is_merged_by_people_only(
    tmp_path: Path, host: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    change = {key: text.replace("APPROVAL", "1") for key, text in BY_US.items()}
    with shop(tmp_path, host, changes=change) as world:
        person = world.hub(world.forge.token("octo-dev"))
        base = person.head("main")
        assert base is not None
        person.create_ref(f"refs/heads/{STAGING}", base)
        person.create_commit(STAGING, base, "feat: mine", "", {path: b"replicas: 9\n"})
        pull = person.open_pull("mine", "", STAGING, "main")
        assert pull is not None
        world.review(pull.number, "octo-lead", "APPROVE")
        run(world, mode="evaluate", environment="staging")
        assert world.repo.head("main") == base
        found = next(s for s in world.hub().statuses(pull.head_sha) if s.context == "stagegate/pins")
        assert (found.state, path in found.description) == ("failure", True)


def test_the_person_who_pushed_the_head_does_not_approve_it(
    tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """octo-dev pushes a commit that octo-lead made elsewhere, so GitHub names octo-lead as its author."""
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    change = {key: text.replace("APPROVAL", "1") for key, text in BY_US.items()}
    with shop(tmp_path, host, changes=change) as world:
        lead, person = world.hub(world.forge.token("octo-lead")), world.hub(world.forge.token("octo-dev"))
        base = person.head("main")
        assert base is not None
        lead.create_ref("refs/heads/elsewhere", base)
        mine = world.pins("staging") + "# not meant for this\n"
        sha = lead.create_commit("elsewhere", base, "feat: try", "", {"deploy/staging.yaml": mine.encode()})
        person.create_ref(f"refs/heads/{STAGING}", sha)
        pull = world.hub().open_pull("mine", "", STAGING, "main")
        assert pull is not None
        for login in ("octo-dev", "octo-lead"):
            world.review(pull.number, login, "APPROVE")
            run(world, mode="evaluate", environment="staging")
            assert world.repo.head("main") == base, f"{login} approved their own work"


def test_a_squash_into_our_branch_needs_another_persons_approval(
    tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub signs the squash of a pull request of the App with the App as its author, and its trailers are written
    by whoever merges: only the activity says who put it on the branch."""
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    merging = {
        "labels: [stagegate]": "labels: [stagegate], merge: stagegate, approvals: 0",
        "strategy: direct": "strategy: latest",
    }
    protected = "trust: {level: protected, app: gatekeeper}\n"
    with shop(tmp_path, host, more=protected, changes=merging) as world:
        app = world.forge.app("gatekeeper", RIGHTS)
        key = {"app_id": str(app.id), "app_key": app.private_key}
        ours = world.hub(world.forge.token("gatekeeper", "app", repositories=[REPOSITORY]))
        person = world.hub(world.forge.token("octo-dev"))
        base = person.head("main")
        assert base is not None
        prod = "stagegate/promote/shop/prod"
        for branch in (STAGING, prod):
            person.create_ref(f"refs/heads/{branch}", base)
        mine = world.pins("prod").replace("v1.0.0}", "v1.0.0}\n          - {name: replicas, value: '9'}")
        ours.create_commit(STAGING, base, "chore: promote", "", {"deploy/staging.yaml": b"# ours\n"})
        pull = ours.open_pull("chore: promote", "", STAGING, "main")
        head = person.head(STAGING)
        assert pull is not None and head is not None
        original = {"deploy/staging.yaml": world.pins("staging").encode(), "deploy/prod.yaml": mine.encode()}
        person.create_commit(STAGING, head, "fix: more", "", original)
        person.update_pull(pull.number, base=prod)
        trailers = (
            "Stagegate-App: shop\nStagegate-Version: 1.0.0\nStagegate-Environment: prod\nStagegate-Run: 7"
        )
        squash = {"merge_method": "squash", "commit_title": "chore: promote", "commit_message": trailers}
        world.ask("PUT", f"pulls/{pull.number}/merge", world.forge.token("octo-dev"), squash)
        [commit] = person.compare("main", prod).commits
        assert (commit.author, commit.vouched) == (ours.viewer(), True)
        opened = person.open_pull("mine", "", prod, "main")
        assert opened is not None
        run(world, mode="evaluate", environment="prod", **key)
        assert world.repo.head("main") == base, "one person alone changed production"
        world.review(opened.number, "octo-lead", "APPROVE")
        assert run(world, mode="evaluate", environment="prod", **key) == "merged"
