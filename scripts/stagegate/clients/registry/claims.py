"""Claims: how publishers of one version agree on one of them, though a registry has no compare-and-swap.

A publisher first puts its manifest under a tag of its own, the claim, and then lists the tags. A later claim is
followed by a later list, which has the earlier claim. So a publisher that sees no rival may write the version.
Publishers that see each other mark this with a second tag, wait until each rival has marked what it saw, and the
smallest digest wins. Tags are only added, never replaced, so no order of requests gives two winners.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Literal

import msgspec

Step = Literal["write", "contest", "concede", "wait", "compare", "lost"]
_LONGEST_TAG = 128


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One publisher's claim to a version's tag: what it publishes (a shortened digest), and a word of its own."""

    tag: str
    content: str
    nonce: str

    @property
    def made(self) -> str:
        """The tag that announces this publisher. It begins with a letter, so Helm reads no version in it."""
        return f"claim-{self.tag}-{self.content}-{self.nonce}"

    @property
    def contested(self) -> str:
        """The tag by which this publisher reports that it found a rival."""
        return f"contest-{self.tag}-{self.content}-{self.nonce}"

    @property
    def conceded(self) -> str:
        """The tag by which this publisher reports that it was too late."""
        return f"concede-{self.tag}-{self.content}-{self.nonce}"

    @property
    def possible(self) -> bool:
        """False where the version leaves no room in a tag, of which 128 characters are allowed."""
        return len(self.conceded) <= _LONGEST_TAG


def claim(tag: str, digest: str) -> Claim:
    """A new publisher of `digest` under `tag`."""
    return Claim(tag=tag, content=digest.removeprefix("sha256:")[:24], nonce=os.urandom(4).hex())


def next_step(own_claim: Claim, tags: Collection[str]) -> tuple[Step, str]:
    """What the publisher of `own`, whose claim is made, does after it listed `tags`; with "lost" the winner's tag.

    "write": put the version. "contest", "concede": put that tag of ours and list again. "wait": list again.
    "compare": the version is there, and its digest decides.
    """
    if own_claim.tag in tags:
        return "compare", ""
    present = set(tags)
    claims = _claims(own_claim.tag, present)
    rivals = [claim for claim in claims if claim.content != own_claim.content]
    if not rivals:
        return "write", ""
    contested = [claim for claim in claims if claim.contested in present]
    if own_claim.contested not in present:
        if own_claim.conceded in present:
            return "wait", ""
        # Where rivals had already compared their claims, they did so without ours.
        late = any(claim.content != own_claim.content for claim in contested)
        return ("concede" if late else "contest"), ""
    open_claims = [
        claim for claim in claims if claim.contested not in present and claim.conceded not in present
    ]
    winner = min(contested, key=lambda claim: claim.content)
    if any(claim.content != own_claim.content for claim in open_claims):
        return "wait", ""  # it may have found no rival, and may write the version at any time
    if winner.content == own_claim.content:
        return "write", ""
    return ("wait", "") if open_claims else ("lost", winner.made)


def _claims(tag: str, tags: Collection[str]) -> list[Claim]:
    claims = []
    for name in tags:
        head, _, nonce = name.rpartition("-")
        head, _, content = head.rpartition("-")
        if head == f"claim-{tag}" and content and nonce:
            claims.append(Claim(tag=tag, content=content, nonce=nonce))
    return claims
