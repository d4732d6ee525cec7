"""The claims of the demo: checked one by one, shown as they are made, and gathered in a table."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from lab.pages import Pages

WIDTH = 66


PLAIN = {  # reasons, explained for a newcomer
    "success": "passed",
    "failure": "failed",
    "reported": "written",
    "evidence-mismatch": "refused: other bytes",
    "checks-failed": "a check of the shop failed",
    "stagegate/promote/shop/prod": "a pull request for prod",
}


@dataclass(frozen=True)
class Row:
    """One claim: its text, whether it is true, the observed value in words, and the time of the step (seconds)."""

    step: str
    held: bool
    seen: str
    seconds: float


class Broken(Exception):
    """A claim is not true; the demo ends here, and the table shows which one."""


class Story:
    """The claims so far, printed by `show` as they are made, and the pages for people."""

    def __init__(self, show: Callable[[str], None], shown: Pages) -> None:
        self.rows: list[Row] = []
        self.closing: list[str] = []
        self.pages = shown
        self._show = show
        self._began = time.monotonic()

    def claim(self, step: str, expected: object, seen: object) -> None:
        """Record that `seen` is `expected`. Broken when it is not."""
        seconds = time.monotonic() - self._began
        self._began = time.monotonic()
        held = seen == expected
        self.rows.append(Row(step, held, words(seen), seconds))
        but = "" if held else f" (expected {words(expected)})"
        self._show(f"  {'ok' if held else 'NO'}  {step}: {words(seen)}{but}")
        if not held:
            raise Broken(step)

    def tell(self, text: str) -> None:
        """Show lines as they are."""
        self._show(text)

    def close(self, title: str, text: str) -> None:
        """A paragraph below the closing table."""
        self.closing.append(f"{title}\n" + "\n".join(f"  {line}".rstrip() for line in text.splitlines()))

    def table(self) -> str:
        """All claims as a table, then the paragraphs."""
        lines = [f"{'claim':<{WIDTH}} {'observed':<30} seconds", "-" * (WIDTH + 39)]
        lines += [
            f"{r.step[:WIDTH]:<{WIDTH}} {r.seen[:30] if r.held else 'NO: ' + r.seen[:26]:<30} {r.seconds:>7.1f}"
            for r in self.rows
        ]
        return "\n".join([*lines, *(f"\n{text}" for text in self.closing)])


def words(value: object) -> str:
    """The observed value, in words for a newcomer."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list):
        return ", ".join(map(words, value)) or "none"
    return PLAIN.get(str(value), str(value))
