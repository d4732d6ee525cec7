"""audit: who proposed, approved, merged and overrode what, from Git and GitHub, as JSON or CSV."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from stagegate.errors import Stop
from stagegate.model import Calls, Message, Result, moment, rfc3339
from stagegate.promotion import apps
from stagegate.promotion import run as promotion_run
from stagegate.promotion.audit import entry, read
from stagegate.promotion.audit.entry import AuditEntry
from stagegate.promotion.audit.read import Period
from stagegate.runner import artifact, log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs

DAYS = 30  # without `since`


class AuditInputs(PinsInputs, frozen=True, kw_only=True):
    """Inputs of audit."""

    app: str = ""
    environment: str = ""
    since: str = ""
    until: str = ""
    format: Literal["json", "csv"] = "json"
    file: str = ""


def main(inputs: AuditInputs, context: Context) -> Result:
    """Inputs -> facts -> report; nothing is decided, and nothing outside the workspace is written."""
    selected = apps.here(context, inputs.config)
    chosen = (apps.choose(selected, inputs.app),) if inputs.app else apps.having(selected, inputs.environment)
    entries = list[AuditEntry]()
    calls, period = Calls(), None
    for one in chosen:
        connections = promotion_run.connect(
            msgspec.structs.replace(inputs, config=one.config), one.settings, context
        )
        period = period or _period(inputs, rfc3339(connections.pins.now()))
        entries += read.read(connections, one.settings, inputs.environment, period)
        spent = connections.calls
        calls = Calls(read=calls.read + spent.read, write=calls.write + spent.write)
    assert period is not None  # noqa: S101  there is an app, or `apps` stopped
    found = entry.report(entries, rfc3339(period.since), rfc3339(period.until))
    text = entry.as_csv(found) if inputs.format == "csv" else entry.as_json(found)
    if inputs.file and not inputs.dry_run:
        artifact.write(context.inside(inputs.file, what="file"), text)
    elif not inputs.file:
        log.say(text.rstrip("\n"))
    what = f"{len(found.entries)} entries from {found.since} to {found.until}."
    return Result(
        reason="reported",
        message=Message(what=what),
        outputs={"entries": str(len(found.entries)), "file": inputs.file},
        calls=calls,
    )


def _period(inputs: AuditInputs, now: str) -> Period:
    """The period of the inputs; a date as `since` is its beginning and as `until` its end, in UTC."""
    until = _time("until", inputs.until or now, end=True)
    since = _time("since", inputs.since, end=False) if inputs.since else until - timedelta(days=DAYS)
    return Period(since, until)


def _time(name: str, text: str, *, end: bool) -> datetime:
    try:
        if len(text) == len("2026-01-31"):
            return moment(f"{text}T{'23:59:59' if end else '00:00:00'}Z")
        return moment(text)
    except ValueError as error:
        raise Stop(
            "bad-input",
            f"{name} is {text!r}.",
            "It must be a date or a time with zone.",
            "Write 2026-01-31 or 2026-01-31T18:00:00Z.",
        ) from error


def run() -> int:
    """The exit code of this command, run with the inputs of its command line."""
    return entrypoint("audit", AuditInputs, main)
