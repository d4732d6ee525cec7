"""I2: a values file that two YAML readers read differently is refused with its line; types are those of Go."""

from __future__ import annotations

import pytest

from tests.actions.test_pin_guard import guard, propose, status
from tests.promotion.shop_world import Shop

VALUES = "deploy/values/prod.yaml"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("replicas: 2\nextra: 1\nextra: 2\n", 3, "'extra' twice"),
        ("base: &b {a: 1}\nextra:\n  <<: *b\n  a: 2\n", 4, "'a' written and merged"),
        ("replicas: !!int 2\n", 1, "the tag"),
        ("replicas: 2\n#\u2028extra: 1\n", 2, "line break"),
        ("replicas: 2\n--- extra\n", 2, "---"),
        ("replicas: 2\nextra: 2024-02-31\n", 2, "date"),
    ],
)
def test_yaml_that_readers_disagree_on_is_refused_with_its_line(
    world: Shop, text: str, line: int, what: str
) -> None:
    pull = propose(world, {VALUES: lambda _: text})
    guard(world, pull.number)
    state, why = status(world, pull.head_sha)
    assert (state, why.startswith(f"ambiguous-pin: {VALUES} has")) == ("error", True), why
    assert what in why
    assert f"line {line}" in why


@pytest.mark.parametrize(
    "text", ["replicas: 2\nextra: on\n", "replicas: 2\nextra: 010\n", "replicas: 2\nextra: n\n"]
)
def test_words_of_yaml_1_1_are_read_as_go_reads_them_and_not_refused(world: Shop, text: str) -> None:
    pull = propose(world, {VALUES: lambda _: text})
    guard(world, pull.number)
    assert status(world, pull.head_sha) == ("success", "every rule passes")
