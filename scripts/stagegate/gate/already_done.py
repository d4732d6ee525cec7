"""Checks whether this gate is unneeded: evidence exists, or the run that changed the pin runs the gate."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from stagegate.clients.hub import ACTIONS_BOT, Hub, RunInfo, forget
from stagegate.evidence import history, records
from stagegate.evidence.records import Record
from stagegate.gate import proven
from stagegate.gate.facts import Facts, OtherGates
from stagegate.pins import files as pin_files
from stagegate.runner import log

PATIENCE = 120.0  # seconds for another run's gate job to begin after the job that changed the pin
PACE = 10.0


def read(facts: Facts, app: Hub, pins: Hub, own_run: str) -> OtherGates:
    """A record that proves this release, else the run with the gate, else whether anything changed."""
    records = confirmed(facts, app)
    if (record := proof(facts, records)) is not None:
        return OtherGates(proof=record)
    if run := looking(facts, app, pins, own_run):
        return OtherGates(run=run)
    return OtherGates(unchanged=unchanged(facts, records))


def confirmed(facts: Facts, app: Hub) -> tuple[Record, ...]:
    """The records of this environment that agree with the commit statuses of the release."""
    if proven.last_good(facts.records, facts.release) is None:
        return facts.records  # no record that a status could confirm
    return history.confirmed(app, facts.records, facts.environment.name, facts.release, facts.accepted)


def proof(facts: Facts, records: Sequence[Record]) -> Record | None:
    """The record that proves exactly this: same digests, policy, pins and used files."""
    record = proven.record(records, facts.release, facts.policy)
    if record is None or record.evidence is None or not facts.files:
        return None
    return record if record.evidence.files == facts.files else None


def unchanged(facts: Facts, known_records: Sequence[Record]) -> bool:
    """Whether the last verdict here was good, about this release, and nothing that decides what runs changed since.

    Where the used files are not known, the release is: a version that passed and was not moved is not judged again.
    """
    last = proven.last_good(known_records, facts.release)
    if last is None or facts.pinned not in ("", facts.release.version):
        return False
    return not (last.files and facts.files) or last.files == facts.files


def looking(
    facts: Facts, app: Hub, pins: Hub, own_run: str, sleep: Callable[[float], None] = time.sleep
) -> str:
    """The run that moved this environment's pin and gates it itself, or nothing.

    Only a commit of ours names one, and only a run of a reviewed workflow gates.
    A run that is still going is given two minutes to begin its gate; one that only moved the pin will not.
    """
    files = pin_files.of((facts.environment,))
    last = next(iter(pins.history(facts.head, first=1, path=files[0])), None) if files else None
    is_ours = last is not None and last.vouched and records.is_accepted(last.author, facts.accepted)
    run = proven.mover(last.trailers, facts.environment.name, own_run) if last and is_ours else ""
    if run and not _is_reviewed(facts, pins, pins.run_info(run)):
        return ""
    if last and run and _moved_since(facts, pins, last.sha):
        return (
            ""  # another pin or the values have changed since, so that run may have tested the earlier state
        )
    context = records.context(facts.release.app, facts.environment.name)
    waited = 0.0
    while run and pins.run_state(run) == "running":
        statuses = app.statuses(facts.release.commit)
        newest = next(
            (s for s in statuses if s.context == context and records.is_accepted(s.creator, facts.accepted)),
            None,
        )
        if newest is not None and proven.is_looking(newest.target_url, newest.state, run):
            return run
        if waited >= PATIENCE:
            log.say(f"run {run} changed the pin but has not started the gate, so this run starts the gate")
            return ""
        if not waited:
            log.say(
                f"run {run} changed the pin and is still running: waiting up to {PATIENCE:.0f} s "
                "until that run starts the gate"
            )
        sleep(PACE)
        forget()
        waited += PACE
    return ""


def _is_reviewed(facts: Facts, pins: Hub, run: RunInfo) -> bool:
    """Whether a run is of a workflow of the default branch that uses stagegate, started by somebody who may.

    A tag and a fork's branch can have the default branch's name, so its commit has to be on that branch.
    """
    default = pins.default_branch()
    if (run.repository, run.branch) != (pins.repository, default) or run.actor is None or not run.commit:
        return False
    file = pins.files(facts.head, [run.workflow])[run.workflow] if run.workflow else None
    if file is None or b"stagegate" not in file.content or not pins.contains(default, run.commit):
        return False
    if run.actor.kind == "Bot":
        return records.is_accepted(run.actor, (ACTIONS_BOT, *facts.accepted))
    return pins.permission(run.actor.login) in ("write", "maintain", "admin")


def _moved_since(facts: Facts, pins: Hub, head_then: str) -> bool:
    """Whether pins or their values files have changed since a commit; unknown counts as changed."""
    now = _files(facts, pins, facts.head)
    if head_then == facts.head:
        return not proven.unchanged(now, now)
    compared = pin_files.are_all({file: now[file] for file in pin_files.of((facts.environment,))})
    return not compared or not proven.unchanged(_files(facts, pins, head_then), now)


def _files(facts: Facts, pins: Hub, at: str) -> Mapping[str, bytes | None]:
    """The contents of pins and their values files at a commit."""
    files = pin_files.of((facts.environment,))
    contents = {file: blob.content if blob else None for file, blob in pins.files(at, files).items()}
    values = pin_files.values(contents)
    more = pins.files(at, values) if values else {}
    return {**contents, **{file: blob.content if blob else None for file, blob in more.items()}}
