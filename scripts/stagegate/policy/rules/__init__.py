"""The rules of promotion, each a pure function `(subject, facts, now) -> RuleResult` in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from stagegate.marks import marks
from stagegate.model import RuleResult
from stagegate.policy import evidence_for
from stagegate.policy.facts import Facts, Subject
from stagegate.policy.rules import (
    ban,
    direction,
    evidence,
    freeze,
    hold,
    images,
    irreversible,
    order,
    pins,
    prerelease,
    risk,
    soak,
    window,
)

Rule = Callable[[Subject, Facts, datetime], RuleResult]

RULES: dict[str, Rule] = {
    "pins": pins.check,
    "evidence": evidence.check,
    "order": order.check,
    "direction": direction.check,
    "ban": ban.check,
    "images": images.check,
    "prerelease": prerelease.check,
    "hold": hold.check,
    "freeze": freeze.check,
    "window": window.check,
    "soak": soak.check,
    "risk": risk.check,
}
ROLLBACK: dict[str, Rule] = {
    "pins": pins.check,
    "ban": ban.check,
    "evidence": evidence.check,
    "images": images.check,
    "irreversible": irreversible.check,
}
CONFIGURE: dict[str, Rule] = {
    "pins": pins.check,
    "hold": hold.check,
    "freeze": freeze.check,
    "window": window.check,
    "risk": risk.check,
}
NAMES = tuple(dict.fromkeys([*RULES, *ROLLBACK]))

# Where a rule that is not satisfied still lets us propose: time passes, and a label can be given.
PROPOSABLE = frozenset({"freeze", "window", "soak", "risk"})

_REASONS = {
    "pins": "ambiguous-pin",
    "evidence": "no-evidence",
    "order": "out-of-order",
    "direction": "older-version",
    "ban": "banned-version",
    "images": "image-untested",
    "prerelease": "prerelease",
    "hold": "held-back",
    "freeze": "frozen",
    "window": "window-closed",
    "soak": "soaking",
    "risk": "risky-change",
    "irreversible": "irreversible",
}
_PROOFS = {"mismatch": "evidence-mismatch", "revoked": "evidence-revoked"}


def applicable(subject: Subject) -> dict[str, Rule]:
    """The rules that a change obeys; what a rollback carries besides the release is a change of configuration."""
    if subject.kind == "rollback":
        return {**ROLLBACK, **CONFIGURE} if subject.besides else ROLLBACK
    return CONFIGURE if subject.kind == "configure" else RULES


def judge(subject: Subject, facts: Facts, now: datetime) -> tuple[RuleResult, ...]:
    """Every rule's result, in a fixed order; what an override in force names passes, and says so."""
    override = marks.override(facts, subject.environment, subject.version, now)
    results = []
    for name, rule in applicable(subject).items():
        result = rule(subject, facts, now)
        if override is not None and name in override.rules and result.state != "pass":
            until = f", until {override.until}" if override.until else ""
            detail = f"set aside by {override.owner}: {override.reason}{until} (was: {result.detail})"
            result = RuleResult(rule=name, state="pass", detail=f"override {detail}", until=override.until)
        results.append(msgspec.structs.replace(result, rule=name))
    return tuple(results)


def is_overridden(result: RuleResult) -> bool:
    """Whether this rule passes only because somebody set it aside."""
    return result.state == "pass" and result.detail.startswith("override set aside by ")


def reason(result: RuleResult, subject: Subject, facts: Facts) -> str:
    """The stable word for a rule that does not pass."""
    if result.state == "unknown":
        return "unknown-state"
    if result.rule == "evidence":
        places = (
            [subject.environment]
            if subject.kind == "rollback"
            else facts.policy_of(subject.environment).after
        )
        for place in places:
            state = evidence_for.of(facts, place, subject.version, subject.release).state
            if state in _PROOFS:
                return _PROOFS[state]
    return _REASONS[result.rule]
