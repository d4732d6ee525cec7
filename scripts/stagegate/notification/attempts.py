"""How long the messages of one run may take. A receiver that does not respond is tried once in a run."""

from __future__ import annotations

import time

from stagegate.errors import Stop
from stagegate.notification import webhooks

TOTAL = 60.0  # seconds for all messages of a run
_SILENT = ("timeout", "unreachable")


class Attempts:
    """The time that is left, and the channels that did not respond. The apps of a run share it."""

    def __init__(self) -> None:
        self._end = time.monotonic() + TOTAL
        self._silent: set[str] = set()

    def seconds(self) -> float:
        """Seconds that the next message may take. Stop(timeout) where none are left."""
        left = min(webhooks.TOTAL, self._end - time.monotonic())
        if left <= 0:
            raise Stop(
                "timeout",
                f"Sending the messages of this run took {TOTAL:g} s.",
                "stagegate sends no more messages in this run, so that the job can end. The next "
                "run sends the others.",
                "Check the receivers of the messages that are named above.",
            )
        return left

    def is_silent(self, key: str) -> bool:
        """Whether this channel did not respond before in this run."""
        return key in self._silent

    def failed(self, key: str, stop: Stop) -> None:
        """Keep in mind that a message did not reach a channel."""
        if stop.reason in _SILENT:
            self._silent.add(key)
