"""Several things at once, in threads: each is started, and waited for where its result is needed.

concurrent.futures does the same and loads more than a short step needs for its work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """Threads of which at most `at_once` work. Leaving its `with` waits for all of them."""

    def __init__(self, at_once: int) -> None:
        self._room = threading.Semaphore(at_once)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()

    def start(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
        """Start the call. The result is a function that waits for it, and returns or raises what it does."""
        returned: list[T] = []
        raised: list[BaseException] = []

        def work() -> None:
            with self._room:
                try:
                    returned.append(function(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001  raised where the result is waited for
                    raised.append(error)

        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

        def result() -> T:
            thread.join()
            if raised:
                raise raised[0]
            return returned[0]

        return result
