"""Each build guide's step, run with a stand-in for its tool, ends in the `digests` output or fails."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

GUIDES = Path(__file__).parents[2] / "examples/build"
IMAGE = "ghcr.io/acme/shop"
DIGEST = "sha256:" + "5e" * 32
METADATA = f'{{"containerimage.digest": "{DIGEST}"}}'

# The output of each tool, from its documentation.
TOOLS = {
    "docker": f"""while [ "$1" != --metadata-file ]; do shift; done; echo '{METADATA}' > "$2" """,
    "ko": f"echo building >&2; echo {IMAGE}:sha-1@{DIGEST}",
    "bazel": f"""case "$1" in cquery) echo digest.txt;; build) printf {DIGEST} > digest.txt;; esac""",
    "crane": f"echo {DIGEST}",
}
STEPS = {"docker.md": "docker", "ko.md": "ko", "bazel.md": "bazel", "any.md": "crane"}


def step(guide: str) -> Any:
    block = re.search(r"```yaml\n(.*?)```", (GUIDES / guide).read_text(), re.S)
    assert block
    return YAML(typ="safe", pure=True).load(io.StringIO(block[1]))[0]


def run_step(guide: str, script: str, folder: Path) -> tuple[int, str]:
    tool = folder / STEPS[guide]
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    output = folder / "output"
    output.touch()
    given = {name: str(value) for name, value in step(guide)["env"].items()} | {"COMMIT": "1" * 40}
    done = subprocess.run(
        ["bash", "-e", "-c", step(guide)["run"]],
        cwd=folder,
        env=given
        | {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "GITHUB_OUTPUT": str(output),
            "RUNNER_TEMP": str(folder),
        },
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, output.read_text()


def needs_jq(guide: str) -> None:
    if "jq " in step(guide)["run"] and not shutil.which("jq"):
        pytest.skip("the guide's step uses jq, as GitHub's runners have it; it is not on this machine")


@pytest.mark.parametrize("guide", STEPS)
def test_the_step_of_a_guide_ends_in_digests(guide: str, tmp_path: Path) -> None:
    needs_jq(guide)
    code, output = run_step(guide, TOOLS[STEPS[guide]], tmp_path)
    name, _, value = output.strip().partition("=")
    assert (code, name, json.loads(value)) == (0, "digests", {IMAGE: DIGEST})


@pytest.mark.parametrize("guide", STEPS)
def test_a_build_that_fails_writes_no_digest(guide: str, tmp_path: Path) -> None:
    assert run_step(guide, "exit 1", tmp_path)[1] == ""
    assert run_step(guide, "exit 1", tmp_path)[0] != 0


def test_every_guide_is_listed_and_tested() -> None:
    guides = {path.name for path in GUIDES.glob("*.md")} - {"README.md"}
    assert guides == set(STEPS)
    listed = (GUIDES / "README.md").read_text()
    assert all(f"({guide})" in listed for guide in guides)
