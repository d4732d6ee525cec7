"""audit: who proposed, approved, merged and overrode what, from Git and GitHub, as JSON or CSV."""

from __future__ import annotations

from typing import Literal

import msgspec

from stagegate.model import Calls, Message, Result, rfc3339
from stagegate.promotion import apps
from stagegate.promotion import run as promotion_run
from stagegate.promotion.audit import entry, period, read
from stagegate.promotion.audit.entry import AuditEntry
from stagegate.runner import artifact, log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs


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
    calls, covered = Calls(), None
    for one in chosen:
        connections = promotion_run.connect(
            msgspec.structs.replace(inputs, config=one.config), one.settings, context
        )
        covered = covered or period.parse(inputs.since, inputs.until, rfc3339(connections.pins.now()))
        entries += read.read(connections, one.settings, inputs.environment, covered)
        spent = connections.calls
        calls = Calls(read=calls.read + spent.read, write=calls.write + spent.write)
    assert covered is not None  # noqa: S101  there is an app, or `apps` stopped
    audited = entry.report(entries, rfc3339(covered.since), rfc3339(covered.until))
    text = entry.as_csv(audited) if inputs.format == "csv" else entry.as_json(audited)
    if inputs.file and not inputs.dry_run:
        artifact.write(context.inside(inputs.file, what="file"), text)
    elif not inputs.file:
        log.say(text.rstrip("\n"))
    what = f"{len(audited.entries)} entries from {audited.since} to {audited.until}."
    return Result(
        reason="reported",
        message=Message(what=what),
        outputs={"entries": str(len(audited.entries)), "file": inputs.file},
        calls=calls,
    )


def run() -> int:
    """The exit code of this command, run with the inputs of its command line."""
    return entrypoint("audit", AuditInputs, main)
