"""One line of an audit, and all of them as JSON and CSV. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Literal

import msgspec

from stagegate.model import to_json

What = Literal["promotion", "rollback", "by-hand", "gate", "hold", "ban", "override", "lifted"]


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its time (RFC 3339, UTC) and the responsible people.

    `proposed_by`, `approved_by`, `merged_by` are logins; `overridden` are rules set aside, by whom and why; `rules`
    are the rules as they stood, `policy` the blob of the settings that they were read from. `by` is the owner of a
    mark or the actor of a gate, `detail` its reason.
    """

    at: str
    what: What
    app: str
    environment: str
    version: str = ""
    commit: str = ""
    outcome: str = ""
    by: str = ""
    detail: str = ""
    proposed_by: str = ""
    approved_by: tuple[str, ...] = ()
    merged_by: str = ""
    overridden: str = ""
    rules: str = ""
    policy: str = ""
    url: str = ""


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a period, the oldest first."""

    schema: Literal["stagegate/audit/1"] = "stagegate/audit/1"
    since: str
    until: str
    entries: tuple[AuditEntry, ...] = ()


def report(entries: Iterable[AuditEntry], since: str, until: str) -> AuditReport:
    """The entries of a period, in their order."""
    ordered = sorted(dict.fromkeys(entries), key=lambda one: (one.at, one.app, one.environment, one.what))
    return AuditReport(since=since, until=until, entries=tuple(ordered))


def as_json(audited: AuditReport) -> str:
    """The report as an indented JSON document."""
    return msgspec.json.format(to_json(audited), indent=2).decode() + "\n"


def as_csv(audited: AuditReport) -> str:
    """The entries as CSV with a header. A text that a spreadsheet would compute gets an apostrophe in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(AuditEntry.__struct_fields__)
    for one in audited.entries:
        values = msgspec.structs.astuple(one)
        writer.writerow([_cell(" ".join(v) if isinstance(v, tuple) else str(v)) for v in values])
    return buffer.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
