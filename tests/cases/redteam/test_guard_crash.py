"""A pull request that pin-guard cannot read does not stop the judgement of the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.actions.test_pin_guard import PROD, guard, propose, status, to
from tests.promotion.shop_world import Shop


@pytest.mark.parametrize(
    "edit",
    [
        lambda t: t.replace(
            "metadata: {name: shop-prod}", "metadata: {name: shop-prod, labels: {a: b, a: c}}"
        ),
        lambda t: t.replace(
            "metadata: {name: shop-prod}", "metadata: {name: shop-prod, labels: {? [a] : b}}"
        ),
        lambda t: t.replace(
            "metadata: {name: shop-prod}",
            "metadata: {name: shop-prod, labels: {a: !!python/object:os.system x}}",
        ),
        lambda t: t.replace(
            "metadata: {name: shop-prod}", "metadata: {name: shop-prod, labels: {a: !!int x}}"
        ),
        lambda t: t.replace(
            "metadata: {name: shop-prod}", "metadata: {name: shop-prod, labels: {a: 2001-99-99}}"
        ),
        lambda t: t.replace(
            "metadata: {name: shop-prod}", "metadata: {name: shop-prod, labels: {a: !!binary '%%%'}}"
        ),
        lambda t: t.replace(
            "metadata: {name: shop-prod}", "metadata: {name: shop-prod, labels: {a: " + "9" * 5000 + "}}"
        ),
        lambda t: t.replace(
            "metadata: {name: shop-prod}", "metadata: {name: shop-prod, labels: {a: 0x" + "f" * 5000 + "}}"
        ),
        lambda t: t.replace("spec:\n", "spec: &s\n  self: *s\n", 1),
        lambda t: t.replace("  sources:", "  sources: {}\n  x:"),
        lambda t: t.replace("        parameters:\n", "        parameters: text\n        x:\n"),
        lambda t: t.replace("        valueFiles: [$values/deploy/values/prod.yaml]", "        valueFiles: 5"),
        lambda t: t + "---\n- a\n--- x\n---\n",
        lambda t: "%YAML 9.9\n---\n" + t,
        lambda t: t.replace("deploy/values/prod.yaml", "deploy/values/" + "a" * 5000),
        lambda t: t.replace("$values/deploy/values/prod.yaml", "$values/a\\u0000b"),
    ],
    ids=lambda _: "",
)
def test_a_pin_that_breaks_the_parser_fails_alone(world: Shop, edit: Callable[[str], str]) -> None:
    good = propose(world, {"README.md": lambda t: t + "x"}, branch="good")
    bad = propose(world, {PROD: edit}, branch="bad")
    code = guard(world)
    found = (status(world, bad.head_sha), status(world, good.head_sha))
    assert found[0][0] in ("failure", "error"), "the broken one"
    assert found[1][0] == "success", "the other one"
