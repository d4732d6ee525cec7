"""I1: the result of merging base and head is judged, not only the head."""

from __future__ import annotations

from tests.actions.test_pin_guard import PROD, guard, propose, status
from tests.promotion.shop_world import Shop

LABELS = "".join(f"    l{number}: x\n" for number in range(12))


def labelled(world: Shop) -> None:
    text = world.pins("prod").replace(
        "metadata: {name: shop-prod}\n", f"metadata:\n  name: shop-prod\n  labels:\n{LABELS}"
    )
    assert "l11: x" in text
    world.repo.seed({PROD: text})


def after(label: str, line: str) -> str:
    return LABELS.replace(f"    {label}: x\n", f"    {label}: x\n    {line}\n")


def test_a_merge_that_joins_two_harmless_changes_into_a_harmful_one_is_refused(world: Shop) -> None:
    labelled(world)
    pull = propose(world, {PROD: lambda text: text.replace(LABELS, after("l10", "team: one"))})
    guard(world, pull.number)
    assert status(world, pull.head_sha)[0] == "success", "the label alone does not pass"

    world.repo.seed({PROD: world.pins("prod").replace(LABELS, after("l1", "team: two"))})
    guard(world, pull.number)
    state, why = status(world, pull.head_sha)
    assert (state, "'team' twice" in why) == ("error", True), why


def test_a_merge_that_is_as_harmless_as_its_parts_passes(world: Shop) -> None:
    labelled(world)
    pull = propose(world, {PROD: lambda text: text.replace(LABELS, after("l10", "team: one"))})
    world.repo.seed({PROD: world.pins("prod").replace(LABELS, after("l1", "tier: two"))})
    guard(world, pull.number)
    assert status(world, pull.head_sha) == ("success", "every rule passes")


def test_an_older_branch_that_touches_no_pin_needs_no_update(world: Shop) -> None:
    pull = propose(world, {"README.md": lambda text: f"{text}more\n"})
    text = world.repo.read("main", "stagegate.yaml").decode()
    moved = "deploy/argocd/prod.yaml"
    world.repo.seed({"stagegate.yaml": text.replace(PROD, moved), moved: world.pins("prod")})
    guard(world, pull.number)
    assert status(world, pull.head_sha)[0] == "success"


def test_an_older_branch_that_changes_an_environment_must_be_updated(world: Shop) -> None:
    pull = propose(world, {"deploy/values/prod.yaml": lambda _: "replicas: 3\n"})
    text = world.repo.read("main", "stagegate.yaml").decode()
    moved = "deploy/argocd/prod.yaml"
    world.repo.seed({"stagegate.yaml": text.replace(PROD, moved), moved: world.pins("prod")})
    guard(world, pull.number)
    state, why = status(world, pull.head_sha)
    assert (state, why.startswith("update the branch")) == ("failure", True), why
