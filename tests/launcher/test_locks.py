"""The committed locks are complete, have hashes, and name no index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-browser.txt")
PIN = re.compile(
    r"^([a-z0-9-]+)==(\S+)((?: ;.*?)?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def _text(name: str) -> str:
    return (SCRIPTS / name).read_text(encoding="utf-8")


def _pins(name: str) -> dict[tuple[str, str], str]:
    """(name, version and marker) -> hashes."""
    return {(found[1], found[2] + found[3]): found[4] for found in PIN.finditer(_text(name))}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_contains_only_versions_with_hashes(lock: str) -> None:
    rest = PIN.sub("", _text(lock))
    assert [line for line in rest.splitlines() if not line.lstrip().startswith("#")] == []
    assert "://" not in rest
    assert not re.search(r"-r /|-c /|find-links|index-url", rest)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_required_library_is_locked(lock: str) -> None:
    asked = {
        re.sub(r"[._]", "-", line.lower())
        for line in _text(lock.replace(".txt", ".in")).splitlines()
        if line and not line.startswith(("#", "-"))
    }
    assert asked
    assert asked <= {name for name, _ in _pins(lock)}


def test_development_runs_with_exactly_the_libraries_of_the_actions() -> None:
    assert _pins("requirements.txt").items() <= _pins("requirements-dev.txt").items()
