"""Programs that people and workflow steps run: git, and Python scripts with a step's environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def outputs(text: str) -> dict[str, str]:
    """The outputs in a GITHUB_OUTPUT file."""
    blocks = re.finditer(r"(?ms)^([\w-]+)<<(\S+)\n(.*?)\n\2$", text)
    return {match[1]: match[3] for match in blocks}


def script(
    cwd: Path, path: str, *arguments: str, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a Python script as a workflow step would be run: nothing of another workflow in its environment."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "SG_", "RUNNER_"))}
    command = [sys.executable, path, *arguments]
    return subprocess.run(
        command, cwd=cwd, env={**inherited, **environ}, capture_output=True, text=True, check=False
    )


def step(cwd: Path, path: str, environ: Mapping[str, str]) -> None:
    """Run a script the way a workflow step would; its output is shown when it fails."""
    done = script(cwd, path, environ=environ)
    if done.returncode:
        raise RuntimeError(f"{Path(path).name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def git(cwd: Path, *arguments: str) -> str:
    """Run git without user configuration; its output, stripped. RuntimeError when it fails."""
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    completed = subprocess.run(
        ["git", *arguments], cwd=cwd, env={**os.environ, **quiet}, capture_output=True, text=True, check=False
    )
    if completed.returncode:
        raise RuntimeError(
            f"git {arguments[0]} ended with {completed.returncode}: {completed.stderr.strip()}"
        )
    return completed.stdout.strip()
