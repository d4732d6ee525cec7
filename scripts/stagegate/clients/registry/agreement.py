"""Agrees with other publishers of the same version, by claims, before the version is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from stagegate.clients.registry import claims
from stagegate.clients.registry.claims import Claim
from stagegate.clients.registry.reference import Reference
from stagegate.errors import Stop
from stagegate.runner import log

_ROUNDS = 60  # lists of tags while a rival has not marked its result
_SECONDS = 0.5  # seconds between two lists


class Tags(Protocol):
    """The functions of a registry that agreement needs."""

    def tags(self, repository: str | Reference) -> tuple[str, ...]:
        """Every tag of the repository."""

    def digest(self, reference: str | Reference) -> str | None:
        """The digest of a tag, or None."""


def agree(store: Tags, target: Reference, own_claim: Claim, put: Callable[[Reference], None]) -> str | None:
    """None when our manifest may be written to `target`; else the digest that is, or will be, published there.

    `put` stores our manifest under a tag. In an undisturbed run that is one write and one list. Two publishers of
    different content never both get None. Where a rival stopped half-way, its claim counts after `_ROUNDS` lists.
    """
    if not own_claim.possible:
        return store.digest(target)
    put(target.tagged(own_claim.made))
    for _ in range(_ROUNDS):
        try:
            step, winner = claims.next_step(own_claim, store.tags(target))
        except Stop as stop:
            if stop.reason != "missing-permission":
                raise
            log.say(
                f"warning: if another run publishes {target} at the same time, stagegate can only detect it "
                f"afterwards: {stop.what} {stop.why}"
            )
            return store.digest(target)
        if step == "write":
            return None
        if step == "compare":
            return store.digest(target)
        if step == "lost":
            return store.digest(target.tagged(winner))
        if step == "wait":
            pause()
        else:
            put(target.tagged(own_claim.contested if step == "contest" else own_claim.conceded))
    raise Stop(
        "version-taken",
        f"A different run has reserved {target} for different content.",
        "The other run began before this run, but has not published the version yet.",
        "Run the job of the other run again to finish it, or make a new version with version-bump "
        "and publish the new version.",
    )


def pause() -> None:
    """Wait before the tags are listed again."""
    time.sleep(_SECONDS)
