"""Runs cases that each show one fault reported of a release tool, and prints which are right.

  python3 lab/toolbox.py run python tests/cases/bugs/run.py [CHECKOUT] [FOLDER ...]

CHECKOUT is the stagegate to try (default: the current folder), a FOLDER holds `case.py` or folders that do (default:
the folders beside this file). `kit` is importable in every case, wherever it lies. Prints one line for each and exits
with 1 when one is not right.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The kit beside this file comes first: a folder of cases may have one of its own, for another state of the code.
_START = "import kit, runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
# Runs a case: its file, the folder, the environment.
Start = Callable[[Path, Path, Mapping[str, str]], "subprocess.CompletedProcess[str]"]


def start(case: Path, cwd: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a case in an interpreter of its own."""
    command = [sys.executable, "-c", _START, str(case)]
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)


def cases(folder: Path) -> list[Path]:
    """The case files in a folder, or in the folders of it."""
    return [folder / "case.py"] if (folder / "case.py").is_file() else sorted(folder.glob("*/case.py"))


def run(case: Path, checkout: Path, start: Start = start) -> tuple[int, str]:
    """Exit code and last words of one case; what it wrote is gone afterwards."""
    paths = [str(HERE / "_kit"), str(checkout), str(checkout / "scripts")]
    environ = {**os.environ, "STAGEGATE": str(checkout), "PYTHONPATH": os.pathsep.join(paths)}
    with tempfile.TemporaryDirectory(prefix="stagegate-case-") as folder:
        environ["TMPDIR"] = folder
        done = start(case, checkout, environ)
    words = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return done.returncode, "\n".join(words[-8:])


def main(argv: list[str]) -> int:
    """Exit 1 when a case is not right."""
    folders = [Path(argument).resolve() for argument in argv]
    checkout = next((folder for folder in folders if (folder / "scripts/stagegate").is_dir()), Path.cwd())
    chosen = [folder for folder in folders if folder != checkout] or [HERE]
    wrong = 0
    for case in (found for folder in chosen for found in cases(folder)):
        code, words = run(case, checkout)
        wrong += bool(code)
        print(
            f"{'FAULT' if code else 'right'} {case.parent.name} {words if code else ''}".strip(), flush=True
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
