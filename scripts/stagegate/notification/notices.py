"""The messages for a result: a pure function of the result."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from stagegate.errors import VERDICTS
from stagegate.model import OpenProposal, Result, branch_names
from stagegate.settings.notify import NoticeEvent

_ENTERED = ("proposed", "updated", "committed", "merged")
GATE = "staging-gate"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One event in words. `subject` distinguishes it from others of the same kind; `url` is where people go on."""

    event: NoticeEvent
    action: str
    app: str
    environment: str
    version: str
    reason: str
    what: str
    why: str = ""
    next: str = ""
    url: str = ""
    subject: str = ""

    @property
    def title(self) -> str:
        """One line: `Failure: shop 1.1.0 in prod`."""
        thing = " ".join(part for part in (self.app, self.version) if part) or self.action
        return f"{self.event.capitalize()}: {thing}{f' in {self.environment}' if self.environment else ''}"

    @property
    def text(self) -> str:
        """The whole message in sentences."""
        return " ".join(part for part in (self.what, self.why, self.next) if part)


def of(action: str, result: Result) -> tuple[Notice, ...]:
    """The events of a result, each part of a joint one by itself. A dry run has none."""
    notices = (_notice(action, part) for part in leaves(result) if not part.dry_run)
    return tuple(dict.fromkeys(notice for notice in notices if notice is not None))


def leaves(result: Result) -> Iterator[Result]:
    """The results that a joint one is made of, or the result itself."""
    if not result.parts:
        yield result
    for part in result.parts:
        yield from leaves(part)


def open_proposals(result: Result) -> tuple[OpenProposal, ...]:
    """Every proposal that is still open after the run."""
    inner = [proposal for part in result.parts for proposal in open_proposals(part)]
    return tuple(dict.fromkeys([*result.proposals, *inner]))


def waiting(action: str, proposal: OpenProposal, since: str, limit: str) -> Notice:
    """The event of a proposal that has been open for longer than `limit`."""
    return Notice(
        event="waiting",
        action=action,
        app=proposal.app,
        environment=proposal.environment,
        version=proposal.version,
        reason="awaiting-review",
        what=f"#{proposal.number} for {proposal.environment} has been open since {since}, longer than {limit}.",
        why=f"Its status is {proposal.status}.",
        next="Merge or close the pull request, or do what its status says.",
        url=proposal.url,
        subject=f"#{proposal.number} {proposal.version}",
    )


def settled(action: str, result: Result) -> tuple[Result, ...]:
    """The parts that ended well: what was reported about their environments before is over."""
    return tuple(
        part
        for part in leaves(result)
        if part.app and not part.dry_run and not VERDICTS[part.reason].exit_code
        and (action != GATE or part.reason in ("passed", "already-passed", "adopted"))
    )  # fmt: skip


def _notice(action: str, part: Result) -> Notice | None:
    event = _event(part)
    if event is None:
        return None
    url = part.outputs.get("pr-url", "")
    entered = event in ("proposal", "rollback")
    return Notice(
        event=event,
        action=action,
        app=part.app,
        environment=part.environment,
        version=part.version,
        reason=part.reason,
        what=part.message.what,
        why=part.message.why,
        next=part.message.next,
        url=url,
        subject=f"#{part.outputs.get('pr-number', '')} {part.version}" if entered else part.version,
    )


def _event(part: Result) -> NoticeEvent | None:
    outcome = VERDICTS[part.reason].outcome
    if outcome == "refused":
        return "refusal"
    if outcome in ("failed", "bug"):
        return "failure"
    done = {(change.kind, branch_names.is_promotion(change.target)) for change in part.changes if change.done}
    goes_back = any(
        change.done and (branch_names.is_rollback(change.target) or branch_names.is_hold(change.target))
        for change in part.changes
    )
    if part.reason in _ENTERED and goes_back:
        return "rollback"
    if part.reason == "proposed" or (part.reason == "updated" and ("branch", True) in done):
        return "proposal"
    return None
