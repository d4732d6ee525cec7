"""Writing a promotion while others write: races, lost responses, leftovers of killed runs, and the number of calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from stagegate.clients import hub
from stagegate.proposal import verifying
from tests.promotion.shop_world import Shop, shop
from tests.promotion.steps import promote_pr

PROD = "stagegate/promote/shop/prod"


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    with shop(tmp_path, host) as made:
        made.seed_pin("staging", "1.1.0")
        made.passed("1.1.0")
        yield made


def run(world: Shop, **inputs: str) -> tuple[int, dict[str, str]]:
    return promote_pr(world.environ(**inputs)), world.outputs()


def before_first(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], Any]) -> None:
    """Run an action of another person right before the hub's first call of this name."""
    real = getattr(hub.Hub, name)
    waiting = [act]

    def racing(self: hub.Hub, *args: Any, **kwargs: Any) -> Any:
        if waiting:
            waiting.pop()()
        return real(self, *args, **kwargs)

    monkeypatch.setattr(hub.Hub, name, racing)


def writes(world: Shop, since: int) -> list[str]:
    return [f"{c.method} {c.path}" for c in world.forge.calls[since:] if c.write]


def test_a_direct_commit_is_made_again_when_the_base_moves(
    world: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other() -> None:
        text = world.pins("staging").replace("# no scheme", "# touched by somebody")
        world.repo.seed({"deploy/staging.yaml": text, "other.txt": "theirs"})

    world.seed_pin("staging", "1.0.0")
    before_first(monkeypatch, "create_commit", other)
    code, outputs = run(world, environment="staging", version="1.1.0")
    assert (code, outputs["reason"]) == (0, "committed")
    assert "touched by somebody" in world.pins("staging")
    assert "v1.1.0" in world.pins("staging")
    assert world.repo.read("main", "other.txt") == b"theirs"


def test_a_proposal_is_made_again_when_the_base_moves(world: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before_first(
        monkeypatch, "create_commit", lambda: world.repo.seed({"deploy/values/prod.yaml": "replicas: 3\n"})
    )
    code, outputs = run(world, environment="prod")
    assert (code, outputs["reason"]) == (0, "proposed")
    assert world.repo.read(PROD, "deploy/values/prod.yaml") in (b"replicas: 2\n", b"replicas: 3\n")
    pull = world.hub().pull(int(outputs["pr-number"]))
    assert pull is not None
    assert pull.mergeable is not False


def test_two_promotions_at_once_make_one_pull_request(world: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for point in ("create_commit", "update_refs", "open_pull"):
        before_first(monkeypatch, point, lambda: run(world, environment="prod"))
        code, outputs = run(world, environment="prod")
        assert code == 0, point
        pulls = world.hub().pulls()
        assert len(pulls) == 1, point
        assert outputs["pr-number"] == str(pulls[0].number)
        commits = world.hub().compare("main", PROD).commits
        assert len(commits) == 1, point
        assert not world.hub().refs("refs/heads/stagegate/next/")
        world.ask("PATCH", f"pulls/{pulls[0].number}", world.forge.token("octo-lead"), {"state": "closed"})
        world.ask("DELETE", f"git/refs/heads/{PROD}", world.forge.token("octo-lead"), {})
        monkeypatch.undo()
        monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")


def test_a_branch_deleted_or_pull_request_closed_during_the_run_is_handled(
    world: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = run(world, environment="prod")
    world.seed_pin("staging", "1.2.0")
    world.passed("1.2.0")
    before_first(
        monkeypatch,
        "update_refs",
        lambda: world.ask("DELETE", f"git/refs/heads/{PROD}", world.forge.token("octo-lead"), {}),
    )
    code, second = run(world, environment="prod")
    assert (code, second["reason"]) == (0, "proposed")
    assert "v1.2.0" in world.pins("prod", PROD)
    assert second["pr-number"] != first["pr-number"]

    number = second["pr-number"]
    world.repo.seed({"deploy/prod.yaml": world.pins("prod") + "# moved on\n"})
    before_first(
        monkeypatch,
        "update_pull",
        lambda: world.ask("PATCH", f"pulls/{number}", world.forge.token("octo-lead"), {"state": "closed"}),
    )
    code, third = run(world, environment="prod")
    assert code == 0
    assert [str(p.number) for p in world.hub().pulls()] == [third["pr-number"]]
    assert third["pr-number"] != number


@pytest.mark.parametrize("how", ["reset", "after"])
@pytest.mark.parametrize(
    "path",
    [
        "git/refs$",
        "#createCommitOnBranch",
        "#updateRefs",
        "/pulls$",
        "/labels$",
        "requested_reviewers$",
        "/statuses/",
    ],
)
def test_the_next_run_completes_a_write_that_failed_or_lost_its_response(
    world: Shop, path: str, how: Any
) -> None:
    world.forge.fail("POST", path, 1, how)
    run(world, environment="prod")
    world.forge.heal()
    code, outputs = run(world, environment="prod")
    assert code == 0
    pulls = world.hub().pulls()
    assert len(pulls) == 1
    assert pulls[0].labels == ("stagegate",)
    assert "v1.1.0" in world.pins("prod", PROD)
    assert len(world.hub().compare("main", PROD).commits) == 1
    assert [s.state for s in world.hub().statuses(outputs["commit"])][:1] == ["success"]
    assert not world.hub().refs("refs/heads/stagegate/next/")


def test_calls_are_few_and_do_not_grow_with_files(world: Shop) -> None:
    since = len(world.forge.calls)
    run(world, environment="prod")
    proposal = writes(world, since)
    assert len(proposal) <= 8, proposal
    world.review(1, "octo-dev", "APPROVE")
    text = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({"stagegate.yaml": text.replace("{reviewers", "{replace: always, reviewers")})
    world.seed_pin("staging", "1.2.0")
    world.passed("1.2.0")
    since = len(world.forge.calls)
    _, outputs = run(world, environment="prod")
    assert outputs["reason"] == "updated"
    replacement = writes(world, since)
    assert len(replacement) <= 8, replacement
    since = len(world.forge.calls)
    run(world, mode="hold", environment="staging", reason="x")
    assert len([w for w in writes(world, since) if "/statuses/" not in w]) == 3

    many = [f"deploy/more/{n}.yaml" for n in range(20)]
    text = world.repo.read("main", "stagegate.yaml").decode()
    text = text.replace("pins: [deploy/prod.yaml]", f"pins: [deploy/prod.yaml, {', '.join(many)}]")
    world.repo.seed({"stagegate.yaml": text} | dict.fromkeys(many, world.pins("prod")))
    (world.folder / "stagegate.yaml").write_text(text)
    since = len(world.forge.calls)
    _, outputs = run(world, environment="prod")
    assert outputs["reason"] == "updated"
    assert len(world.repo.read(PROD, many[7])) > 0
    assert "v1.2.0" in world.repo.read(PROD, many[7]).decode()
    assert len(writes(world, since)) <= len(replacement)


def test_reads_do_not_grow_with_pins_and_their_values(tmp_path: Path, host: str) -> None:
    reads = []
    for count in (1, 6):
        names = ["prod", *(f"prod-{number}" for number in range(2, count + 1))]
        pins = ", ".join(f"deploy/{name}.yaml" for name in names)
        with shop(tmp_path / str(count), host, changes={"deploy/prod.yaml": pins}) as world:
            for name in names[1:]:
                text = world.pins("prod").replace("shop-prod", f"shop-{name}")
                values = {f"deploy/values/{name}.yaml": "replicas: 2\n"}
                world.repo.seed(
                    {f"deploy/{name}.yaml": text.replace("values/prod", f"values/{name}"), **values}
                )
            world.passed("1.1.0")
            world.seed_pin("staging", "1.1.0")
            since = len(world.forge.calls)
            code, told = run(world, environment="prod")
            assert (code, told["reason"]) == (0, "proposed")
            reads.append(len([call for call in world.forge.calls[since:] if not call.write]))
    assert reads[0] == reads[1]


def test_auto_merge_is_disabled_before_the_proposal_gets_another_version(world: Shop) -> None:
    world.forge.protect("acme/shop", required_statuses=[("somebody/else", None)])
    _, first = run(world, environment="prod")
    pull = world.hub().pull(int(first["pr-number"]))
    assert pull is not None
    query = (
        "mutation($id: ID!) { enablePullRequestAutoMerge(input: {pullRequestId: $id}) { clientMutationId } }"
    )
    answer = requests.post(
        f"{world.forge.url}/graphql",
        json={"query": query, "variables": {"id": pull.node_id}},
        headers={"Authorization": f"Bearer {world.forge.token('octo-lead')}"},
        timeout=10,
    )
    assert "errors" not in answer.json()
    world.publish("1.2.0")
    world.seed_pin("staging", "1.2.0")
    world.passed("1.2.0")
    assert run(world, environment="prod")[1]["reason"] == "updated"
    after = world.hub().pull(pull.number)
    assert after is not None
    assert (pull.number, after.auto_merge) == (after.number, False)


def test_a_killed_run_dispatches_when_it_is_run_again(world: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    world.seed_pin("staging", "1.0.0")
    monkeypatch.setattr(verifying, "start", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert run(world, environment="staging", version="1.1.0")[0] == 130
    monkeypatch.undo()
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    environ = world.environ(environment="staging", version="1.1.0") | {"GITHUB_RUN_ATTEMPT": "2"}
    assert promote_pr(environ) == 0
    assert world.outputs()["reason"] == "no-difference"
    assert world.forge.events[-1].name == "workflow_dispatch"
