"""Asks whether this gate is needless: the proof is there already, or the run that moved the pin is at it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from stagegate.clients.hub import Hub
from stagegate.evidence import records
from stagegate.evidence.records import Record
from stagegate.gate import proven
from stagegate.gate.facts import Elsewhere, Facts
from stagegate.pins import files as pin_files
from stagegate.runner import log

PATIENCE = 120.0  # seconds for another run's gate job to begin after the job that moved the pin
PACE = 10.0


def read(facts: Facts, app: Hub, pins: Hub, own_run: str) -> Elsewhere:
    """A record that proves this already, else the run that gates it."""
    record = proof(facts, pins)
    return Elsewhere(proof=record) if record else Elsewhere(run=looking(facts, app, pins, own_run))


def proof(facts: Facts, pins: Hub) -> Record | None:
    """The record that proves exactly this already: same digests, policy, pins and values. Two reads at most."""
    found = proven.record(facts.records, facts.release, facts.policy)
    if found is None or found.evidence is None:
        return None
    then = proven.revision(found.evidence)
    if not then or (then != facts.head and pins.commit_info(then) is None):
        return None
    return found if _unchanged(facts, pins, then) else None


def looking(
    facts: Facts, app: Hub, pins: Hub, own_run: str, sleep: Callable[[float], None] = time.sleep
) -> str:
    """The run that moved this environment's pin and gates it itself, or nothing.

    A run that is still going is given two minutes to begin its gate; one that only moved the pin will not.
    """
    files = pin_files.of((facts.environment,))
    last = next(iter(pins.history(facts.head, first=1, path=files[0])), None) if files else None
    run = proven.mover(last.trailers, facts.environment.name, own_run) if last else ""
    if last and run and not _unchanged(facts, pins, last.sha):
        return ""  # another pin or the values changed since: that run may have tested what was before
    context = records.context(facts.release.app, facts.environment.name)
    waited = 0.0
    while run and pins.run_state(run) == "running":
        statuses = app.statuses(facts.release.commit)
        newest = next((status for status in statuses if status.context == context), None)
        if newest is not None and proven.is_looking(newest.target_url, newest.state, run):
            return run
        if waited >= PATIENCE:
            log.say(f"run {run} moved the pin and has not begun its gate: looking ourselves")
            return ""
        if not waited:
            log.say(f"run {run} moved the pin and still goes: giving its own gate {PATIENCE:.0f} s to begin")
        sleep(PACE)
        waited += PACE
    return ""


def _unchanged(facts: Facts, pins: Hub, then: str) -> bool:
    """Whether what decides here is now as it was at a commit; unknown is changed."""
    now = _files(facts, pins, facts.head)
    if then == facts.head:
        return proven.unchanged(now, now)
    whole = pin_files.are_all({file: now[file] for file in pin_files.of((facts.environment,))})
    return whole and proven.unchanged(_files(facts, pins, then), now)


def _files(facts: Facts, pins: Hub, at: str) -> Mapping[str, bytes | None]:
    """Pins and the values they name, as a commit has them."""
    files = pin_files.of((facts.environment,))
    contents = {file: blob.content if blob else None for file, blob in pins.files(at, files).items()}
    values = pin_files.values(contents)
    more = pins.files(at, values) if values else {}
    return {**contents, **{file: blob.content if blob else None for file, blob in more.items()}}
