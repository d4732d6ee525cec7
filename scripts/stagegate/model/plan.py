"""What promote-pr decides: the results of the rules, the edits and the pull request."""

from __future__ import annotations

from typing import Literal

import msgspec

RuleState = Literal["pass", "wait", "stop", "unknown"]


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one rule: its state for the merge, a sentence, and when a wait ends (RFC 3339, or empty).

    `override`: the owner and the reason of the override by which it passes; `detail` then is why it would not.
    """

    rule: str
    state: RuleState
    detail: str
    until: str = ""
    override: str = ""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One scalar that changes in one file. `path` is the place inside the file, `line` counts from 1.

    `also`: lines of the file where the version before still stands, because they are not the app's.
    """

    repository: str
    file: str
    line: int
    path: str
    before: str
    after: str
    shape: str
    also: tuple[int, ...] = ()


class PullRequestText(msgspec.Struct, frozen=True, kw_only=True):
    """The text of the promotion pull request."""

    branch: str
    base: str
    title: str
    body: str
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The decision of promote-pr: the same facts and clock give the same plan."""

    schema: Literal["stagegate/plan/1"] = "stagegate/plan/1"
    now: str
    facts_digest: str
    decision: str
    rules: tuple[RuleResult, ...] = ()
    edits: tuple[Edit, ...] = ()
    pull_request: PullRequestText | None = None
