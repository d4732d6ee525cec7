"""Downloads the locked libraries for runners without an index: every Python and machine that stagegate supports.

`python -m lab.wheels FOLDER` fills a folder that `STAGEGATE_WHEELS` can name.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from packaging.markers import Marker

LOCK = Path(__file__).resolve().parents[1] / "scripts" / "requirements.txt"
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
MACHINES = ("x86_64", "aarch64")
SYSTEMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")


def main(arguments: Sequence[str]) -> int:
    """0 when all files are there; 2 without a folder, else what pip ended with."""
    if len(arguments) != 1:
        print("usage: make wheels OUT=folder", file=sys.stderr)
        return 2
    for python, machine in itertools.product(PYTHONS, MACHINES):
        print(f"Python {python} on {machine}", flush=True)
        with tempfile.TemporaryDirectory(prefix="wheels-") as work:
            lock = Path(work) / "requirements.txt"
            lock.write_text(locked(LOCK.read_text(encoding="utf-8"), python, machine), encoding="utf-8")
            code = subprocess.run(command(arguments[0], lock, python, machine), check=False).returncode
        if code:
            return code
    print(f"{len(list(Path(arguments[0]).glob('*.whl')))} files are in {arguments[0]}")
    return 0


def locked(lock: str, python: str, machine: str) -> str:
    """The part of a lock that one Python on one machine needs, because pip evaluates markers only for itself."""
    target = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    lines = []
    for entry in re.split(r"(?m)^(?=[A-Za-z0-9])", lock):
        first, _, hashes = entry.partition("\\\n")
        requirement, _, marker = first.partition(" ; ")
        if hashes and (not marker.strip() or Marker(marker.strip()).evaluate(target)):
            lines.append(f"{requirement.strip()} \\\n{hashes}")
    return "".join(lines)


def command(folder: str, lock: Path, python: str, machine: str) -> list[str]:
    """pip's command line for one Python on one machine; each file is checked by its hash."""
    platforms = [f"--platform={system}_{machine}" for system in SYSTEMS]
    options = ["--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:", "--implementation=cp"]
    where = [f"--python-version={python}", *platforms, f"--dest={folder}", f"--requirement={lock}"]
    return ["python3", "-m", "pip", "download", *options, *where]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
