"""Runs a function on generated inputs: it ends in a result or in a Stop, within its time, or the test fails.

`STAGEGATE_FUZZ_INPUTS` and `STAGEGATE_FUZZ_SEED` choose how many and which. A failure names seed and number, which
make the same input again. Time is counted in the process's own seconds, so a busy machine is no failure.
"""

from __future__ import annotations

import os
import random
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from stagegate.errors import Stop

COUNT = int(os.environ.get("STAGEGATE_FUZZ_INPUTS") or "300")
SEED = os.environ.get("STAGEGATE_FUZZ_SEED") or "13"
LONGEST = 5.0  # seconds of computing for one input

Input = TypeVar("Input")


class Endless(BaseException):
    """One input took longer than it may. Not an `Exception`, so that the tested code cannot catch it."""


def run(
    name: str, make: Callable[[random.Random], Input], use: Callable[[Input], None], *, share: int = 1
) -> None:
    """Use `COUNT // share` inputs. `share` is larger for targets whose inputs cost more."""
    for number in range(max(COUNT // share, 1)):
        chance = random.Random(f"{SEED}:{name}:{number}")  # noqa: S311 - an input to try, no secret
        given = make(chance)
        try:
            with _bounded(LONGEST):
                use(given)
        except Stop:
            continue
        except (Exception, Endless) as error:
            shown = repr(given)
            shown = shown if len(shown) < 4000 else f"{shown[:4000]}..."
            raise AssertionError(
                f"{name}, STAGEGATE_FUZZ_SEED={SEED}, input {number}: {type(error).__name__}: {error}\n{shown}\n"
                + traceback.format_exc(limit=-3)
            ) from error


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    def expired(_number: int, _frame: FrameType | None) -> None:
        raise Endless(f"no end after {seconds:.0f} s of computing")

    before = signal.signal(signal.SIGVTALRM, expired)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def spoiled(text: str, chance: random.Random, pieces: tuple[str, ...]) -> str:
    """A text with a few parts taken out, doubled, moved or replaced by odd pieces."""
    for _ in range(chance.randint(0, 4)):
        start = chance.randrange(len(text) + 1)
        end = min(start + chance.randint(0, 12), len(text))
        part = text[start:end]
        match chance.randrange(5):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:start] + part * chance.randint(2, 40) + text[end:]
            case 2:
                text = text[:start] + chance.choice(pieces) + text[start:]
            case 3:
                text = text[:start] + chance.choice(pieces) + text[end:]
            case _:
                text = text[: chance.randrange(len(text) + 1)] if chance.random() < 0.2 else text
    return text
