"""Sends requests: counted, paced, repeated where that is safe, and delayed by rate limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import msgspec
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from stagegate.clients.hub import refusals
from stagegate.clients.hub.refusals import Uncertain
from stagegate.clients.hub.response import HubResponse, limit_wait
from stagegate.errors import Stop
from stagegate.model import Calls
from stagegate.runner import log, variables

T = TypeVar("T")

PATIENCE_SECONDS = 60.0  # for rate limits, in all
TRIES = 4
FRESH_SECONDS = 15.0  # how long GitHub's copies may lag behind a write


class Line:
    """The way to one host with one token. Not for several threads.

    `pace` is the least time between two writes in seconds (None: `STAGEGATE_WRITE_PACE`, else GitHub's advice
    of 1). Reads, including GraphQL queries, are not paced. They are repeated when the network or the server
    fails; writes only when they certainly did not happen. Waits for rate limits add up to at most 60 s.
    """

    def __init__(self, host: str, token: str, pace: float | None) -> None:
        self.host = host
        self.token = token
        self.sleep: Callable[[float], None] = time.sleep
        self.clock: Callable[[], float] = time.time
        self._pace = variables.write_pace() if pace is None else pace
        self._retry_pace = variables.retry_pace()
        self._last_write = float("-inf")
        self._made_at = float("-inf")
        self._patience = PATIENCE_SECONDS
        self._read = 0
        self._write = 0
        self.server_date = ""

    @property
    def calls(self) -> Calls:
        """Requests made so far, repeated ones included."""
        return Calls(read=self._read, write=self._write)

    def send(
        self,
        ask: Callable[[], HubResponse],
        decode: Callable[[HubResponse], T],
        doing: str,
        permission: str,
        *,
        write: bool,
        repeatable: bool = False,
    ) -> T:
        """The decoded response of `ask`, called again where that is safe. Refused, Uncertain or Stop."""
        safe = repeatable or not write
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            try:
                response = self._once(ask, doing, write=write)
                if response.status >= 500 or response.status == 408:
                    raise refusals.server_error(response, doing, write=write)
                if response.status >= 400:
                    raise refusals.refused(response, doing, permission, self.token)
                decoded = decode(response)
                self._made_at = self.clock() if write else self._made_at
                return decoded
            except requests.RequestException as error:
                sent = write and not _never_sent(error)
                if last or (sent and not safe):
                    raise refusals.unreachable(self.host, doing, error, sent=sent) from None
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                if last or not safe:
                    raise refusals.unparsable(doing, error, write=write) from error
            except refusals.Refused as refusal:
                if last or not (write and self._too_early(refusal)):
                    raise
            except Stop as stop:
                if last or not safe or stop.reason != "server-error" or isinstance(stop, refusals.TooLarge):
                    raise
            self.back_off(attempt)
        raise AssertionError("the last try returns or raises")

    def _too_early(self, refusal: refusals.Refused) -> bool:
        """Whether GitHub may not find a new object yet: a write on it is refused as if it were absent."""
        unseen = refusal.status == 404 or "no commit found" in refusal.message.lower()
        return unseen and self.clock() - self._made_at < FRESH_SECONDS

    def back_off(self, attempt: int) -> None:
        """Sleep before the next try: the pace (0.5 s unless STAGEGATE_RETRY_PACE), doubled each time."""
        self.sleep(self._retry_pace * 2**attempt)

    def _once(self, ask: Callable[[], HubResponse], doing: str, *, write: bool) -> HubResponse:
        """One response that is not a rate limit; waits for those that are, as long as the patience lasts."""
        while True:
            self._count(write)
            try:
                response = ask()
            except (RuntimeError, AssertionError) as error:  # PyGithub's words for a redirect to elsewhere
                raise refusals.unreachable(self.host, doing, error, sent=write) from error
            finally:
                if write:
                    self._last_write = self.clock()
            wait = limit_wait(response, self.clock())
            if wait is None:
                self.server_date = response.headers.get("date", self.server_date)
                return response
            if wait > self._patience:
                raise refusals.rate_limited(doing, wait, self.clock())
            self._patience -= wait
            log.say(f"GitHub's rate limit is reached: waiting {wait:.0f} s before trying to {doing} again.")
            self.sleep(wait)

    def _count(self, write: bool) -> None:
        if not write:
            self._read += 1
            return
        self._write += 1
        early = self._last_write + self._pace - self.clock()
        if early > 0:
            self.sleep(early)


def settle(create: Callable[[], T], find: Callable[[], T | None]) -> T:
    """Do what must not happen twice: when the response is lost, look first, and only then try again."""
    try:
        return create()
    except Uncertain:
        outcome = find()
        return create() if outcome is None else outcome


def _never_sent(error: requests.RequestException) -> bool:
    """True when not even a connection came about, so that nothing can have happened."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    inner = error.args[0] if error.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, NewConnectionError)
