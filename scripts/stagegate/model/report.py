"""The result of an action, and the JSON report that it writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from stagegate.errors import VERDICTS, Outcome
from stagegate.model.evidence import Check, Evidence
from stagegate.model.plan import RuleResult

Severity = Literal["error", "warning", "note"]
Trust = Literal["advisory", "protected"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, why, and what to do next."""

    what: str
    why: str = ""
    next: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A write, done or (in a dry run) only intended."""

    kind: str
    target: str
    before: str = ""
    after: str = ""
    done: bool = True


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a check found, with its place and its cure."""

    rule: str
    severity: Severity
    message: str
    environment: str = ""
    object: str = ""
    file: str = ""
    line: int = 0
    why: str = ""
    fix: str = ""
    silenced: str = ""


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests were made to GitHub: `read` are GET and GraphQL queries, `write` all others."""

    read: int = 0
    write: int = 0


class OpenProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion or rollback that was open when it was judged: its pull request, and what its status is."""

    app: str
    environment: str
    version: str
    number: int
    url: str
    branch: str
    head: str
    status: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an entrypoint for the runner: outputs, summary (Markdown) and the fields of its report.

    `fails`: exit 1 although the outcome alone would be 0 (`fail-on-waiting`). `parts`: the results that this one
    joins. `proposals`: what is still open after an evaluation.
    """

    outputs: Mapping[str, str] = {}
    summary: str = ""
    fails: bool = False
    parts: tuple[Result, ...] = ()
    proposals: tuple[OpenProposal, ...] = ()
    reason: str
    message: Message
    app: str = ""
    environment: str = ""
    version: str = ""
    dry_run: bool = False
    trust: Trust | None = None
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    checks: tuple[Check, ...] = ()
    evidence: Evidence | None = None
    calls: Calls = Calls()

    def with_outputs(self, outputs: Mapping[str, str]) -> Result:
        """The same result with other outputs."""
        return msgspec.structs.replace(self, outputs=outputs)

    def report(self, action: str) -> msgspec.Struct:
        """The public JSON document of this result, a Report."""
        fields = {field.name: getattr(self, field.name) for field in _REPORTED}
        return Report(action=action, outcome=VERDICTS[self.reason].outcome, **fields)


_UNREPORTED = ("outputs", "summary", "fails", "parts", "proposals")
_REPORTED = [field for field in msgspec.structs.fields(Result) if field.name not in _UNREPORTED]
# Made from the fields of Result, because a subclass could not put its own before them.
Report = msgspec.defstruct(
    "Report",
    [
        ("schema", Literal["stagegate/report/1"], "stagegate/report/1"),
        ("action", str),
        ("outcome", Outcome),
        *((f.name, f.type) if f.required else (f.name, f.type, f.default) for f in _REPORTED),
    ],
    namespace={"__doc__": "The JSON report of every action. `reason` determines `outcome`."},
    frozen=True,
    kw_only=True,
)
