"""The promotion rules. Every file of this folder defines one `RULE`; the registry is built from the folder."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from datetime import datetime
from importlib import import_module

import msgspec

from stagegate.errors import Reason
from stagegate.marks import marks
from stagegate.model import RuleResult
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule
from stagegate.settings import Environment


def collect(paths: list[str], package: str) -> dict[str, Rule]:
    """The rules of the modules in these folders, by name, in the order of their ranks."""
    modules = (import_module(f"{package}.{module.name}") for module in pkgutil.iter_modules(paths))
    rules: list[Rule] = sorted((module.RULE for module in modules), key=lambda rule: rule.rank)
    return {rule.name: rule for rule in rules}


RULES = collect(list(__path__), __name__)


def applicable(subject: Subject) -> tuple[Rule, ...]:
    """The rules that a change has to satisfy, in the order of the registry."""
    also = subject.kind == "rollback" and bool(subject.besides)
    return tuple(
        rule for rule in RULES.values() if subject.kind in rule.kinds or (also and "configure" in rule.kinds)
    )


def need_reviews(environments: Iterable[Environment]) -> bool:
    """Whether a rule needs the reviews of a pull request that changes these environments."""
    places = tuple(environments)
    return any(
        rule.needs_reviews(place, kind)
        for rule in RULES.values()
        if rule.needs_reviews
        for place in places
        for kind in rule.kinds
    )


def judge(subject: Subject, facts: PromotionFacts, now: datetime) -> tuple[RuleResult, ...]:
    """The result of every rule that applies. A rule that an override in force names passes, with `override` set."""
    override = marks.override(facts, subject.environment, subject.version, now)
    results = []
    for rule in applicable(subject):
        result = rule.check(subject, facts, now)
        if override is not None and rule.name in override.rules and result.state != "pass":
            until = f", until {override.until}" if override.until else ""
            set_aside = f"{override.owner}: {override.reason}{until}"
            result = RuleResult(
                rule=rule.name, state="pass", detail=result.detail, until=override.until, override=set_aside
            )
        results.append(msgspec.structs.replace(result, rule=rule.name))
    return tuple(results)


def reason(result: RuleResult, subject: Subject, facts: PromotionFacts) -> Reason:
    """The stable word for a rule that is not satisfied."""
    if result.state == "unknown":
        return "unknown-state"
    rule = RULES[result.rule]
    return rule.exact_reason(subject, facts) if rule.exact_reason else rule.reason


def cure(result: RuleResult, subject: Subject, facts: PromotionFacts) -> str:
    """The next step for a person when a rule is not satisfied."""
    if result.state == "unknown":
        return "stagegate changed nothing. Run promote-pr again when the service named above can be reached."
    before = ", ".join(facts.policy_of(subject.environment).after) or subject.environment
    return RULES[result.rule].cure.format(environment=subject.environment, before=before)
