"""times: freezes and windows name existing times that are not over."""

from __future__ import annotations

import difflib
import zoneinfo
from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.policy.rules import window as window_rule
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for time zones, rules of windows, then for freezes that are over by the clock of GitHub."""
    for config, _, environment in facts.places:
        for zone in dict.fromkeys(
            [*(one.timezone for one in environment.freeze), *(one.timezone for one in environment.window)]
        ):
            if not _is_zone(zone):
                near = difflib.get_close_matches(zone, zoneinfo.available_timezones(), 1)
                yield finding(
                    "error",
                    f"{environment.name} has the time zone {zone}, which does not exist.",
                    "The rule is then unknown, and no promotion passes it.",
                    f"Write {near[0]} in {config}."
                    if near
                    else f"Write a name such as Europe/Berlin in {config}.",
                    file=config,
                    environment=environment.name,
                )
        for one in environment.window:
            if trouble := window_rule.mistake(one.rrule):
                yield finding(
                    "error",
                    f"The window {one.rrule} of {environment.name} is not a rule.",
                    f"{trouble}. No promotion passes it.",
                    f"Write a rule of RFC 5545 in {config}, such as FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9.",
                    file=config,
                    environment=environment.name,
                )
        for freeze in environment.freeze:
            if facts.hub is not None and freeze.to < facts.hub.now.date():
                yield finding(
                    "note",
                    f"The freeze of {environment.name} from {freeze.from_} to {freeze.to} is over.",
                    "",
                    f"Delete it in {config}, or write the dates of the next one.",
                    file=config,
                    environment=environment.name,
                )


def _is_zone(name: str) -> bool:
    """Whether a time zone exists; true where this machine has no list of them."""
    known = zoneinfo.available_timezones()
    return not known or name in known


CHECK = DoctorCheck(
    name="times",
    looks_at="Time zones and rules of freezes and windows",
    cure="Correct the time in the settings.",
    check=check,
)
