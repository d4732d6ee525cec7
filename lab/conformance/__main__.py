"""`python -m lab.conformance [tests]`: record tests, then compare with GitHub's descriptions."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from lab.conformance import descriptions, known, recording, sdl, written_calls
from lab.conformance.openapi import Description

ROOT = Path(__file__).resolve().parents[2]
TESTS = ("tests/lab", "tests/clients", "tests/actions", "tests/proposal", "tests/promotion")
GITHUB, SERVER = (
    "api.github.com",
    "ghes-3.16",
)  # for the oldest server, only the existence of our calls is checked


def main(tests: list[str]) -> int:
    """0 when nothing differs, or the descriptions are not available (printed as one sentence); 1 otherwise.

    A session that records nothing compares nothing: that is 1 too.
    """
    try:
        documents = {
            name: Description(descriptions.rest(name, dict(os.environ))) for name in (GITHUB, SERVER)
        }
        schema = descriptions.graphql(dict(os.environ))
    except descriptions.NotReachable as error:
        say(f"Skipped: {error}")
        return 0
    differences = Counter(
        sdl.problems((ROOT / "lab/forge/schema.graphql").read_text(encoding="utf-8"), schema)
    )
    security = written_calls.DOCUMENT.read_text(encoding="utf-8")
    differences.update(written_calls.problems(security, documents[GITHUB]))
    total, failed = 0, False
    for piece in tests or TESTS:
        exchanges, passed = recorded(piece)
        failed = failed or not passed or not exchanges
        for name, document in documents.items():
            differences.update(
                f"{name}: {line}"
                for exchange in exchanges
                for line in document.problems(exchange, answers=name == GITHUB)
            )
        say(f"{piece}: {len(exchanges)} exchanges{'' if passed else ', and a test failed'}.")
        total += len(exchanges)
    return 1 if tell(differences, total) or failed else 0


def recorded(piece: str) -> tuple[list[recording.Exchange], bool]:
    """The exchanges of one folder of tests, and whether its tests passed."""
    workers = os.environ.get("WORKERS", "2")
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "--dist", "loadfile", piece]
    with tempfile.TemporaryDirectory(prefix="stagegate-exchanges-") as folder:
        completed = subprocess.run(
            command, cwd=ROOT, env={**os.environ, recording.FOLDER: folder}, check=False
        )
        return list(recording.read(Path(folder))), completed.returncode == 0


def tell(counts: Counter[str], exchanges: int) -> int:
    """Print every kind of difference once, and return how many are not accepted."""
    wrong = sorted(line for line in counts if not known.reason(line))
    for line in wrong:
        say(f"{counts[line]:6} x {line}")
    explained = len(counts) - len(wrong)
    say(f"{exchanges} exchanges compared with {GITHUB}, {SERVER} and the GraphQL schema:")
    say(f"{len(wrong)} kinds of difference, and {explained} that lab/conformance/known.py explains.")
    return len(wrong)


def say(*lines: str) -> None:
    """Print lines for the person who started this."""
    print(*lines, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
