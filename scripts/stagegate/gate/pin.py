"""Reads the pin in Git while a gate waits, because a newer version ends the wait."""

from __future__ import annotations

from collections.abc import Callable

from stagegate.errors import Stop
from stagegate.gate.expected import same_version
from stagegate.runner import log

PIN_EVERY = 20.0  # seconds between two reads while an Application requests another version


class Pin:
    """The version that the pin in Git names: read again now and then, and before a verdict that is not a pass."""

    def __init__(self, version: str, read: Callable[[], str]) -> None:
        self.version, self._wanted, self._pinned = "", version, read
        self._read, self._others = float("-inf"), list[str]()

    def moved(self, now: float, other_files: list[str], *, final: bool) -> bool:
        """Whether the pin now names another version; false when it cannot be read.

        It is read when the Applications ask for something else than before (`others`), and now and then.
        """
        if final or other_files != self._others or now - self._read >= PIN_EVERY:
            self._read, self._others = now, other_files
            try:
                self.version = self._pinned()
            except Stop as trouble:
                log.debug(trouble.what)
        return bool(self.version) and not same_version(self.version, self._wanted)
