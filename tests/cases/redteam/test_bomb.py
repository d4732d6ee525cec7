"""YAML bombs behind text that ruamel can read and libyaml, which detects them, cannot."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

BOMB = "b0: &b0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{i}: &b{i} [{', '.join([f'*b{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
SELF = "self: &self {me: *self}\n"


@pytest.mark.parametrize(
    "first", ["x: &b.c d\n", "x: &b/c d\n", "%FOO bar\n---\n", ""], ids=["dot", "slash", "directive", "plain"]
)
@pytest.mark.parametrize(
    "bomb", [BOMB, SELF, "x: " + "[" * 5000 + "]" * 5000 + "\n"], ids=["bomb", "self", "deep"]
)
def test_a_yaml_bomb_is_refused_behind_text_that_libyaml_cannot_read(first: str, bomb: str) -> None:
    script = f'\nimport warnings; warnings.simplefilter("ignore")\nfrom stagegate import yaml_edit\nfrom stagegate.errors import Stop\nfrom stagegate.pins import remainder\ntry:\n    print("NODES", len(remainder.besides({(first + bomb).encode()!r}, "f", [])))\nexcept Stop as stop:\n    print("STOP")\n'
    began = time.monotonic()
    try:
        done = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, timeout=20)
    except subprocess.TimeoutExpired:
        pytest.fail("it does not end")
    assert "STOP" in done.stdout, done.stderr[-200:] + done.stdout
