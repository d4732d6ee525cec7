"""Combines verdicts: a pull request may merge only if it may for every app. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.policy.commit_status import PinsStatus, StatusState

LONGEST = 140  # characters of a commit status' description that GitHub keeps
_WORST: tuple[StatusState, ...] = ("error", "failure", "pending")


def combine(verdicts: Mapping[str, PinsStatus]) -> PinsStatus:
    """The worst verdict of all apps; with several apps each that is not satisfied is named."""
    for state in _WORST:
        worst = {app: verdict for app, verdict in verdicts.items() if verdict.state == state}
        if worst:
            times = [verdict.next_at for verdict in worst.values()]
            descriptions = [
                f"{app}: {v.description}" if len(verdicts) > 1 else v.description for app, v in worst.items()
            ]
            room = LONGEST // len(descriptions) - len("; ")  # so that every app is named in the one line
            if len(descriptions) > 1:
                descriptions = [d if len(d) <= room else f"{d[: max(room - 1, 0)]}…" for d in descriptions]
            next_at = max(times) if all(times) else ""
            return PinsStatus(state=state, description="; ".join(descriptions), next_at=next_at)
    words = dict.fromkeys(verdict.description for verdict in verdicts.values())
    ends = min((verdict.next_at for verdict in verdicts.values() if verdict.next_at), default="")
    return PinsStatus(state="success", description="; ".join(words), next_at=ends)
