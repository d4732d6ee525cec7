"""The people behind a promotion, read from the last commit that moved the environment's pins."""

from __future__ import annotations

from collections.abc import Sequence

from stagegate.clients import hub
from stagegate.evidence.records import is_accepted
from stagegate.model import Actor, PromotedBy, trailers
from stagegate.pins import pinned_version
from stagegate.promotion.app_state import AppState
from stagegate.settings import Environment


def of(
    pins: hub.Hub, state: AppState, environment: Environment, version: str, writers: Sequence[Actor]
) -> PromotedBy | None:
    """The people behind the pins of now; None where no file holds them.

    Trailers count only in a commit of an accepted identity that GitHub vouches for, and for this version; of any
    other commit only its author is known.
    """
    files = pinned_version.files_of(environment)
    last = next(iter(pins.history(state.head, first=1, path=files[0])), None) if files else None
    if last is None:
        return None
    named = last.trailers
    ours = trailers.is_of(named, state.settings.app, environment.name)
    if not (ours and last.vouched and is_accepted(last.author, writers)):
        author = last.author.login if last.author else ""
        return PromotedBy(commit=last.sha, proposed_by=author)
    if named.get(trailers.VERSION) != version:
        return None
    return PromotedBy(
        commit=last.sha,
        proposed_by=named.get(trailers.PROPOSED_BY, ""),
        approved_by=trailers.approvers(named),
        merged_by=named.get(trailers.MERGED_BY, ""),
        overridden=named.get(trailers.OVERRIDDEN, ""),
        rules=named.get(trailers.RULES, ""),
    )
