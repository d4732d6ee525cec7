"""GitHub's reads may lag behind its writes: what a run has just made is not seen at once, and nothing is made twice."""

from __future__ import annotations

from tests.promotion.shop_world import Shop
from tests.promotion.steps import promote_pr

READS = 2  # of each new thing, which do not see it


def run(world: Shop, **inputs: str) -> dict[str, str]:
    """One step of promote-pr that reads every new object with a delay; its outputs."""
    world.forge.lag(READS)
    try:
        code = promote_pr(world.environ(**inputs))
    finally:
        world.forge.lag(0)
    assert code == 0
    return world.outputs()


def test_a_proposal_is_opened_once_with_its_status_and_its_labels(world: Shop) -> None:
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")
    first = run(world, environment="prod")
    assert first["reason"] == "proposed"
    (pull,) = world.hub().pulls()
    assert pull.labels == ("stagegate",)
    (status,) = world.hub().statuses(pull.head_sha)
    assert status.context == "stagegate/pins"
    world.seed_pin("staging", "1.2.0")
    world.passed("1.2.0")
    assert run(world, environment="prod")["reason"] == "updated"
    assert [one.number for one in world.hub().pulls()] == [pull.number]


def test_a_commit_and_the_marks_of_a_rollback(world: Shop) -> None:
    world.publish("1.1.0")
    assert run(world, environment="staging", version="1.1.0")["reason"] == "committed"
    world.passed("1.0.0")
    world.passed("1.1.0")
    back = run(world, environment="staging", mode="rollback", version="1.0.0", reason="it loses orders")
    assert back["reason"] == "committed"
    assert run(world, environment="staging", mode="unhold")["reason"]


def test_evidence_is_recorded_once(world: Shop) -> None:
    world.forge.lag(READS)
    world.passed("1.1.0")
    world.forge.lag(0)
    (deployment,) = world.hub().deployments("stagegate:shop")
    assert [status.state for status in deployment.statuses] == ["success"]
