"""What a promotion rule is: one value with everything about it, defined in `policy/rules/<name>.py`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec

from stagegate.errors import Reason
from stagegate.model import RuleResult
from stagegate.policy.facts import Kind, PromotionFacts, Subject
from stagegate.settings import Environment

Check = Callable[[Subject, PromotionFacts, datetime], RuleResult]
ReasonOf = Callable[[Subject, PromotionFacts], Reason]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion rule.

    `name` is its word in plans, reports and overrides; `title` says in one line what it requires. `rank` gives its
    place in every list (lower first): the first rule that blocks names the reason. `kinds` are the changes it
    applies to; what a rollback changes besides the release also has to satisfy the rules for `configure`.
    `check` is pure. `reason` is the stable word for "not satisfied"; `exact_reason` may choose a more exact one.
    `cure` tells a person what to do; it may contain {environment} and {before} (the environments of `after`).
    `proposable`: a pull request may be opened while the rule is not satisfied. `overridable`: an override may name
    it. `waits_for`: what ends its wait. `needs_reviews`: for which changes of an environment it looks at the
    reviews of the pull request, which cost a request of their own (None: for none).
    """

    name: str
    title: str
    rank: int
    kinds: frozenset[Kind]
    check: Check
    reason: Reason
    cure: str
    exact_reason: ReasonOf | None = None
    proposable: bool = False
    overridable: bool = True
    waits_for: Literal["time", "people"] = "time"
    needs_reviews: Callable[[Environment, Kind], bool] | None = None
