"""One `git cat-file --batch` that keeps running: objects by name without starting git for each."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast


class GitError(Exception):
    """git refused; the text is its own."""


@dataclass(frozen=True)
class Found:
    """An object: its sha, its type (commit, tree, blob, tag) and its raw content."""

    sha: str
    type: str
    content: bytes


class Reader:
    """Reads one bare repository, with the writes of other processes, and starts again after `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._git: subprocess.Popen[bytes] | None = None

    def find(self, name: str) -> Found | None:
        """The object that git calls `name` (a sha, ref, `rev^{commit}`, `rev:path`), or None."""
        if not name or "\n" in name or "\0" in name:
            return None
        with self._lock:
            requests, answers = self._streams()
            requests.write(f"{name}\n".encode())
            requests.flush()
            head = answers.readline()
            if not head:  # git gave up over this name (`main:../outside`), as it does when asked once
                self._end()
                return None
            words = head.decode(errors="replace").split()
            if words[-1] in ("missing", "ambiguous") or not words[-1].isdigit():
                return None
            content = answers.read(int(words[-1]) + 1)[:-1]
            return Found(words[0], words[1], content)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._git is not None:
            self._git.communicate()
            self._git = None

    def _streams(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._git is None:
            self._git = subprocess.Popen(
                ["git", "--git-dir", str(self._path), "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
            )
        return cast("IO[bytes]", self._git.stdin), cast("IO[bytes]", self._git.stdout)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every git here: no user configuration, no prompts."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    fixed = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    return inherited | fixed | dict(extra or {})
