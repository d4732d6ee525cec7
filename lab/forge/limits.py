"""Two behaviours of GitHub that a test turns on: the limit on creating content, and delayed reads."""

from __future__ import annotations

from collections import deque

MINUTE, HOUR = 60.0, 3600.0


class ContentLimit:
    """Requests that create content: 80 a minute and 500 an hour for each identity. Off until `per_minute` is set.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
    """

    def __init__(self) -> None:
        self.per_minute = 0
        self.per_hour = 0
        self.refused = 0
        self._times: dict[str, deque[float]] = {}

    def exceeded(self, login: str, now: float) -> bool:
        """Whether this request exceeds the limit; a refused request does not count."""
        if not self.per_minute:
            return False
        times = self._times.setdefault(login, deque())
        while times and times[0] <= now - HOUR:
            times.popleft()
        if len(times) >= self.per_hour or sum(1 for time in times if time > now - MINUTE) >= self.per_minute:
            self.refused += 1
            return True
        times.append(now)
        return False


class Replica:
    """The copy that answers reads. With `behind` set, it misses each new record for so many reads of it."""

    def __init__(self) -> None:
        self.behind = 0
        self._missing: dict[int | str, int] = {}

    def lag(self, reads: int) -> None:
        """Miss each new record for so many reads. 0: miss nothing."""
        self.behind = reads
        if not reads:
            self._missing.clear()

    def created(self, record: int | str) -> None:
        """Note a new record (its database id) or commit (its SHA)."""
        if self.behind:
            self._missing[record] = self.behind

    def misses(self, record: int | str) -> bool:
        """Whether this read misses it."""
        remaining = self._missing.get(record, 0)
        if remaining:
            self._missing[record] = remaining - 1
        return remaining > 0
