"""Thousands of generated histories: every depth of a checkout must decide as a walk over the full graph does."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from bench.table import Row
from lab import histories

COUNT = int(os.environ.get("HISTORIES", "2000"))


def rows(folder: Path) -> Iterator[Row]:
    """One row: how many histories were tried, and how many decisions differ."""
    began = time.perf_counter()
    with ProcessPoolExecutor() as pool:
        found = [wrong for wrong in pool.map(partial(_wrong, folder), range(COUNT), chunksize=10) if wrong]
    taken = time.perf_counter() - began
    what = f"{COUNT:,} generated histories at depth 1, 2, 5, full and alone"
    first = f" (first: {found[0]})" if found else ""
    yield Row(what, f"{len(found)} differ{first}", f"{taken:.0f} s", float(len(found)), "0", not found)


def _wrong(folder: Path, seed: int) -> str:
    place = folder / str(seed)
    with contextlib.redirect_stdout(io.StringIO()):  # the fetched commits are not needed here
        wrong = histories.differences(seed, place)
    shutil.rmtree(place, ignore_errors=True)
    return f"{seed}: {'; '.join(wrong)}" if wrong else ""
