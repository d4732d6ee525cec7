#!/usr/bin/env python3
"""check.py CHECKOUT [FOLDER]: runs chart-check on every twin (good/ and bad/) and compares with expected.json."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# Runs chart-check: the checkout, the arguments, the folder, the environment.
Start = Callable[[Path, Sequence[str], Path, Mapping[str, str]], object]


def start(tool: Path, arguments: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> object:
    """Run chart-check of a checkout as a step does."""
    argv = [str(tool / "scripts/run"), "chart_check", *arguments]
    return subprocess.run(argv, cwd=cwd, env=environ, capture_output=True, check=False)


def cases_in(folder: Path) -> list[Path]:
    """Every case of a folder, by name."""
    return sorted(path for path in folder.iterdir() if (path / "expected.json").exists())


def faults(tool: Path, case: Path, start: Start = start) -> list[str]:
    """The mistakes in the verdicts on the two twins of a case; nothing where both are right."""
    expected = json.loads((case / "expected.json").read_text())
    bad = expected["bad"]
    wrong: list[str] = []
    for twin in ("good", "bad"):
        findings = findings_of(tool, case, twin, expected.get("compare-with"), start)
        if findings is None:
            wrong.append(f"{twin}: no report")
            continue
        open_ = [one for one in findings if not one.get("silenced")]
        errors = [one for one in open_ if one["severity"] == "error"]
        own = [one for one in open_ if one["rule"] == bad["rule"]]
        if twin == "good":
            if len(errors) > expected["good"].get("errors", 0):
                wrong.append(f"good: false {sorted({one['rule'] for one in errors})}")
            elif own and bad["severity"] != "error":
                wrong.append(f"good: the rule of the case, as {own[0]['severity']}")
            continue
        rules = {one["rule"] for one in (errors if bad["severity"] == "error" else open_)}
        missed = {bad["rule"], *bad.get("also", [])} - rules
        if missed:
            wrong.append(f"bad: missed {sorted(missed)}, found {sorted(rules)}")
        elif bad.get("findings") not in (None, len(own)):
            wrong.append(f"bad: {len(own)} findings")
    return wrong


def findings_of(
    tool: Path, case: Path, twin: str, base: str | None, start: Start = start
) -> list[dict[str, Any]] | None:
    """The findings of chart-check on one twin; None without a report."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copytree(case / twin, work, dirs_exist_ok=True)
        flags = []
        if base:
            shutil.copytree(case / base, work / ".base")
            flags = ["--base", f".base/charts/{next((work / '.base/charts').iterdir()).name}"]
        start(tool, [*flags, "--report", ".report.json"], work, environment(tool))
        report = work / ".report.json"
        listed: list[dict[str, Any]] | None = (
            json.loads(report.read_text())["findings"] if report.exists() else None
        )
        return listed


@cache
def environment(tool: Path) -> dict[str, str]:
    """The variables of a shell outside any runner, with helm on its PATH."""
    argv = [sys.executable, str(tool / "lab/toolbox.py"), "path"]
    path = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "SG_"))}
    return kept | {"PATH": path + os.pathsep + os.environ["PATH"]}


def main() -> int:
    """Print a line for each case; the exit code is 1 where one is wrong."""
    tool = Path(sys.argv[1]).resolve()
    cases = cases_in(Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else HERE)
    right = 0
    for case in cases:
        wrong = faults(tool, case)
        right += not wrong
        title = json.loads((case / "expected.json").read_text())["title"]
        print(f"{'FAIL' if wrong else 'ok  '} {case.name}: {'; '.join(wrong) or title[:80]}", flush=True)
    print(f"{right} of {len(cases)} right")
    return int(right != len(cases))


if __name__ == "__main__":
    sys.exit(main())
