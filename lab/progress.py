"""Progress for waiting people: at least every five seconds, a line names the current work."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

SILENCE_SECONDS = 4.0
_SCRIPT = re.compile(r"scripts/run\"? (\w+)")
_ACTION = re.compile(r"/([\w-]+)@\S+$")
_STEP = re.compile(r"⭐ Run (?:Main |Post |Pre )?(.+)$")


class Progress:
    """Prints lines, and the text of `doing` after a silence. Several threads may print."""

    def __init__(self, doing: Callable[[], str]) -> None:
        self._doing = doing
        self._lock = threading.Lock()
        self._last = time.monotonic()
        self.longest = 0.0  # seconds without a line
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def rest(self) -> None:
        """Stop printing lines after a silence."""
        self._ended.set()

    def say(self, text: str) -> None:
        """One line of progress."""
        self.print(f"  ..  {text}")

    def print(self, text: str) -> None:
        """A line as it is."""
        with self._lock:
            print(text, flush=True)
            now = time.monotonic()
            self.longest = max(self.longest, now - self._last)
            self._last = now

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            if time.monotonic() - self._last >= SILENCE_SECONDS:
                self.say(self._doing())


def step_of(logs: Path) -> str:
    """The current step of the newest run under act, by its log; a general word without a run."""
    newest = max(logs.glob("*/log.txt"), key=lambda file: file.stat().st_mtime, default=None)
    if newest is None or time.time() - newest.stat().st_mtime > 3 * SILENCE_SECONDS:
        return "still at it ..."
    lines = newest.read_text(encoding="utf-8", errors="replace").splitlines()
    step = next((match[1] for line in reversed(lines) if (match := _STEP.search(line))), "")
    workflow = newest.parent.name.partition("-")[2]
    return f"{workflow}: {_plain(step)} ..." if step else f"{workflow} ..."


def _plain(step: str) -> str:
    """A step as people call it: the action or script that it runs."""
    match = _SCRIPT.search(step) or _ACTION.search(step)
    return match[1].replace("_", "-") if match else step.strip()
