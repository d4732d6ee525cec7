"""`python -m bench [part ...]`: measure and print a table for people. It has no pass or fail."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from bench.table import Row, table

PARTS = (
    "start", "decision", "histories", "files", "pins", "calls", "road", "reaction", "stream", "rendering", "charts"
)  # fmt: skip


def main(asked: list[str]) -> int:
    """Measure the requested parts, or all; 2 for an unknown part."""
    if unknown := sorted(set(asked) - set(PARTS)):
        say(f"There is no part {unknown[0]!r}; there are {', '.join(PARTS)}.")
        return 2
    rows: list[Row] = []
    for part in asked or PARTS:
        with tempfile.TemporaryDirectory(prefix="stagegate-bench-") as folder:
            for row in importlib.import_module(f"bench.{part}").rows(Path(folder)):
                say(f"{row.what}: {row.measured}, compared with {row.compared}: {row.ratio:.2f}", sys.stderr)
                rows.append(row)
    say(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}\n")
    say(table(rows))
    return 0


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line for the person who started this."""
    print(text, file=stream or sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
