"""Records exchanges with the forge as lines of JSON while tests run, and reads them afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = "STAGEGATE_EXCHANGES"  # the variable that names the folder; without it nothing is recorded


@dataclass(frozen=True)
class Exchange:
    """A REST request to the forge and its response; bodies are JSON values or None."""

    method: str
    path: str
    status: int
    request: Any
    response: Any


def record(exchange: Exchange) -> None:
    """Append it to this process's file, in one write, where recording is asked for."""
    folder = os.environ.get(FOLDER)
    if folder:
        line = (json.dumps(asdict(exchange)) + "\n").encode()
        descriptor = os.open(Path(folder) / f"{os.getpid()}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def read(folder: Path) -> Iterator[Exchange]:
    """All exchanges of a folder."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield Exchange(**json.loads(line))
