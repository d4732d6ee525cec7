"""Start: the time that the launcher and the libraries add to a bare Python, warm and from an empty cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.table import Row, seconds, side_by_side

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
WARM, COLD = 15, 3  # rounds


def rows(folder: Path) -> Iterator[Row]:
    """Warm and cold start in a copy of scripts/ with two scripts of ours."""
    scripts = folder / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "empty.py").write_text("")
    (scripts / "with_hub.py").write_text("import github\n")
    warm = environ(folder / "warm")
    run(warm, str(scripts / "run"), "empty")
    bare, empty, loaded = side_by_side(
        WARM,
        lambda: run(warm, sys.executable, "-c", "pass"),
        lambda: run(warm, str(scripts / "run"), "empty"),
        lambda: run(warm, str(scripts / "run"), "with_hub"),
    )
    python = f"`python3 -c pass` {bare * 1000:.0f} ms"
    yield Row(
        "start, warm, empty script", f"{empty * 1000:.0f} ms", python, empty / bare, "120 ms", empty <= 0.12
    )
    yield Row(
        "start, warm, with PyGithub",
        f"{loaded * 1000:.0f} ms",
        python,
        loaded / bare,
        "350 ms",
        loaded <= 0.35,
    )
    if shutil.which("uv"):
        yield cold(folder, scripts)


def cold(folder: Path, scripts: Path) -> Row:
    """From an empty cache to a running script, beside uv's own installation of the same lock."""
    ours, theirs = [], []
    for number in range(COLD):
        mine, other = environ(folder / f"ours-{number}"), environ(folder / f"theirs-{number}")
        target = str(folder / f"target-{number}")
        command = ["uv", "pip", "install", "--quiet", "--target", target, "--require-hashes", "--no-deps"]
        command += [
            "--python",
            sys.executable,
            "--only-binary",
            ":all:",
            "-r",
            str(scripts / "requirements.txt"),
        ]
        ours.append(seconds(lambda env=mine: run(env, str(scripts / "run"), "empty")))  # type: ignore[misc]
        theirs.append(seconds(lambda env=other, line=tuple(command): run(env, *line)))  # type: ignore[misc]
    own, uv = sorted(ours)[COLD // 2], sorted(theirs)[COLD // 2]
    compared = f"`uv pip install` {uv:.2f} s"
    return Row("start, cold, with uv", f"{own:.2f} s", compared, own / uv, "3 s", own <= 3)


def environ(home: Path) -> dict[str, str]:
    """The environment of a first run, without any cache."""
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "UV_CACHE_DIR")}
    return {
        **kept,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "STAGEGATE_CACHE": str(home / "stagegate"),
    }


def run(env: Mapping[str, str], *argv: str) -> None:
    """Run a program that must succeed."""
    done = subprocess.run(argv, env=env, cwd="/", check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-500:]}")
