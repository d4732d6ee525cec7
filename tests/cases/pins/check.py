#!/usr/bin/env python3
"""check.py CHECKOUT [FOLDER] [-v]: runs every case through `promote-pr --local` and prints which are right.

A case is a folder: `before` is a repository, `stagegate.yaml` its settings, `expected.diff` the right edit (empty
where there is none), `case.json` what is accepted and which words a refusal must have and must not have.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@a")
# Runs promote-pr: the checkout, the arguments, the folder.
Start = Callable[[Path, Sequence[str], Path], "subprocess.CompletedProcess[str]"]


def start(checkout: Path, arguments: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run promote-pr of a checkout as a person does."""
    argv = [str(checkout / "scripts/run"), "promote_pr", *arguments]
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)


def outcome_of(checkout: Path, case: Path, start: Start = start) -> tuple[bool, str, str]:
    """Whether a case is right, what happened in a word, and the last annotation."""
    want = json.loads((case / "case.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        shutil.copytree(case / "before", there, dirs_exist_ok=True)
        shutil.copy(case / "stagegate.yaml", there)
        for command in (("init", "-q", "."), ("add", "-A"), ("commit", "-qm", "x")):
            subprocess.run([*GIT, *command], cwd=there, check=True)
        edit = ["--local", "--environment", want["environment"], "--version", want["version"]]
        run = start(checkout, edit, there)
        now = _files(there)
        subprocess.run([*GIT, "checkout", "-q", "."], cwd=there, check=True)
        before = _files(there)
        if (case / "expected.diff").stat().st_size:
            apply = [*GIT, "apply", "--unidiff-zero", str((case / "expected.diff").resolve())]
            subprocess.run(apply, cwd=there, check=True)
        right = _files(there)
    last = " ".join(line for line in (run.stdout + run.stderr).splitlines() if "::" in line)
    if run.returncode == 70:
        outcome = "crash"
    elif run.returncode == 2 and now == before:
        outcome = "refuse"
    elif run.returncode == 0 and now == right and right != before:
        outcome = "edit"
    else:
        outcome = f"other (exit {run.returncode}, {'changed' if now != before else 'unchanged'})"
    good = outcome in want["accept"]
    if outcome == "refuse" and good:
        said = last.lower()
        good = all(word.lower() in said for word in want["must_say"])
        good &= not any(word.lower() in said for word in want["must_not_say"])
        outcome += "" if good else " (message)"
    return good, outcome, last


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def cases_in(folder: Path) -> list[Path]:
    """The cases below a folder, sorted."""
    return sorted(path for path in folder.iterdir() if (path / "case.json").exists())


def main(arguments: list[str]) -> int:
    """Print a line for each case; the exit code is 1 when one is wrong."""
    words = [word for word in arguments if word != "-v"]
    checkout = Path(words[0]).resolve()
    cases = cases_in(Path(words[1]) if len(words) > 1 else Path(__file__).resolve().parent)
    right = 0
    for case in cases:
        good, outcome, last = outcome_of(checkout, case)
        right += good
        accepted = "/".join(json.loads((case / "case.json").read_text())["accept"])
        print(f"{'ok  ' if good else 'FAIL'} {case.name}: {outcome}; wanted {accepted}")
        if "-v" in arguments:
            print(f"       {last[:300]}")
    print(f"{right} of {len(cases)} right")
    return int(right != len(cases))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
