"""A risk label counts only for the head that its author has seen."""

from __future__ import annotations

import pytest

from tests.actions.test_pin_guard import guard, propose, status
from tests.promotion import shop_world
from tests.promotion.shop_world import Shop
from tests.promotion.steps import promote_pr

LABEL = "stagegate/risk:replicas-zero"
VALUES = "deploy/values/prod.yaml"
TWO = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: two}\nspec: {replicas: 0}\n"


def promote(world: Shop, **inputs: str) -> dict[str, str]:
    promote_pr(world.environ(**inputs))
    return world.outputs()


def none(world: Shop, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish a version whose chart has no replicas."""
    template = shop_world.DEPLOYMENT.replace("{{ .Values.replicas }}", "0")
    monkeypatch.setattr(shop_world, "DEPLOYMENT", template)
    world.publish(version)
    world.seed_pin("staging", version)
    world.passed(version)


def test_the_label_of_one_version_does_not_count_for_the_next(
    world: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    none(world, "1.1.0", monkeypatch)
    outputs = promote(world, environment="prod", version="1.1.0")
    number = int(outputs["pr-number"])
    world.forge.advance(5)
    world.hub().add_labels(number, [LABEL, "mine"])
    promote(world, mode="evaluate")
    assert status(world, outputs["commit"])[0] == "success"
    promote(world, environment="prod", version="1.1.0")
    assert status(world, outputs["commit"])[0] == "success", "an equal proposal keeps its label"

    none(world, "1.2.0", monkeypatch)
    world.forge.advance(5)
    newer = promote(world, environment="prod", version="1.2.0")
    assert (newer["pr-number"], status(world, newer["commit"])[0]) == (str(number), "failure")
    pull = world.hub().pull(number)
    assert pull is not None
    assert set(pull.labels) == {"stagegate", "mine"}
    promote(world, mode="evaluate")
    assert status(world, newer["commit"])[0] == "failure"
    world.forge.advance(5)
    world.hub().add_labels(number, [LABEL])
    promote(world, mode="evaluate")
    assert status(world, newer["commit"])[0] == "success"


def test_a_label_older_than_the_newest_push_does_not_count(world: Shop) -> None:
    """Whatever the dates of its commits are, and also when an earlier head is pushed again."""
    pull = propose(world, {VALUES: lambda _: "replicas: 0\n"})
    world.forge.advance(5)
    world.hub().add_labels(pull.number, [LABEL])
    guard(world, pull.number)
    assert status(world, pull.head_sha)[0] == "success"
    world.forge.advance(5)
    person = world.hub(world.forge.token("octo-dev"))
    head = person.create_commit("mine", pull.head_sha, "feat: more", "", {VALUES: b"replicas: 0\nx: 1\n"})
    guard(world, pull.number)
    assert status(world, head)[0] == "failure"
    base = world.repo.head("main")
    group = {"head_sha": head, "base_sha": base, "head_ref": f"refs/heads/gh-readonly-queue/main/pr-1-{base}"}
    guard(world, group=group)
    assert status(world, head)[0] == "failure"
    world.forge.advance(5)
    world.hub().remove_label(pull.number, LABEL)
    world.hub().remove_label(pull.number, LABEL)
    world.hub().add_labels(pull.number, [LABEL])
    guard(world, pull.number)
    assert status(world, head)[0] == "success"


@pytest.mark.parametrize(("code", "state"), [(403, "failure"), (404, "failure"), (500, "error")])
def test_without_the_time_of_the_push_no_label_counts(world: Shop, code: int, state: str) -> None:
    pull = propose(world, {VALUES: lambda _: "replicas: 0\n"})
    world.forge.advance(5)
    world.hub().add_labels(pull.number, [LABEL])
    world.forge.fail("GET", "/activity", None, code)
    guard(world, pull.number)
    world.forge.heal()
    assert status(world, pull.head_sha)[0] == state
