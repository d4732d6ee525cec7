"""Pins that Go's YAML reader (Argo CD, helm) and ours read differently never count as unchanged."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.actions.test_pin_guard import PROD, guard, propose, status
from tests.promotion.shop_world import Shop

EVIL = "1.2.0"


def go_reads(text: str, folder: Path) -> dict:
    """The same text through helm's parser, sigs.k8s.io/yaml, which Argo CD uses too."""
    chart = folder / "go"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: go\nversion: 0.1.0\n")
    (chart / "templates" / "a.yaml").write_text("out: {{ .Values | toJson }}\n")
    (folder / "v.yaml").write_text(text)
    done = subprocess.run(
        ["helm", "template", "x", str(chart), "-f", str(folder / "v.yaml")],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.split("out: ", 1)[1])


def merged(text: str) -> str:
    return text.replace(
        "metadata: {name: shop-prod}",
        f'metadata: {{name: shop-prod, annotations: &a {{targetRevision: "{EVIL}"}}}}',
    ).replace("      helm:\n", "      <<: *a\n      helm:\n")


def line_separator(text: str) -> str:
    """Ours counts columns on, so the key lies inside `helm`; Go begins a new line, so it lies in the source."""
    line = "          - {name: global.imageTag, value: v1.0.0}\n"
    return text.replace(line, line + f'#\u2028      targetRevision: "{EVIL}"\n')


def next_line(text: str) -> str:
    line = "          - {name: global.imageTag, value: v1.0.0}\n"
    return text.replace(line, line + f'#\x85      targetRevision: "{EVIL}"\n')


def binary_key(text: str) -> str:
    return text.replace("      helm:\n", f'      !!binary dGFyZ2V0UmV2aXNpb24=: "{EVIL}"\n      helm:\n')


def merged_sources(text: str) -> str:
    """`sources` by a merge key after `source`."""
    return text


@pytest.mark.parametrize("attack", [merged, line_separator, binary_key])
def test_a_pin_that_two_parsers_read_differently_is_not_unchanged(
    world: Shop, attack, tmp_path: Path
) -> None:
    world.publish(EVIL)
    world.publish("1.0.0")
    pull = propose(world, {PROD: attack})
    blob = world.hub().files(pull.head_sha, [PROD])[PROD]
    text = blob.content.decode()
    seen = go_reads(text, tmp_path)["spec"]["sources"][0]["targetRevision"]
    guard(world, pull.number)
    state, why = status(world, pull.head_sha)
    print("GO:", seen, "GUARD:", state, why)
    assert seen == EVIL
    assert state in ("failure", "error"), f"Argo CD would deploy {seen}; stagegate/pins is {state}: {why}"
