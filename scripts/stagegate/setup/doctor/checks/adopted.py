"""adopted: the running release can be recorded, so that a rollback has a target."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.settings import Environment, Settings
from stagegate.setup.doctor import pinned
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for pinned versions without a Git tag: adopt reads the release by it."""
    for _, settings in facts.valid:
        if settings.source or not facts.survey.tags:
            continue
        untagged: dict[str, list[str]] = {}
        for environment in settings.environments:
            for version in _versions(facts, settings, environment):
                if f"{settings.version.tag_prefix}{version}" not in facts.survey.tags:
                    untagged.setdefault(version, []).append(environment.name)
        for version, places in untagged.items():
            tag = f"{settings.version.tag_prefix}{version}"
            yield finding(
                "warning",
                f"{settings.app} is pinned to {version} in {', '.join(places)}, but the tag {tag} "
                "does not exist.",
                "`mode: adopt` finds the release that runs today by its tag and records it. Without this "
                "record, there is no release to roll back to if the first release fails.",
                f"git tag -a {tag} -m {tag} <commit of {version}> && git push origin {tag}",
            )


def _versions(facts: DoctorFacts, settings: Settings, environment: Environment) -> Iterator[str]:
    found_versions: set[str] = set()
    for pin in environment.pins:
        try:
            places = pinned.read(facts, settings, environment, pin).places
        except Stop:
            continue  # the check `pins-readable` reports it
        found_versions |= {place.names["version"] for place in places if "version" in place.names}
    yield from sorted(found_versions)


CHECK = DoctorCheck(
    name="adopted",
    looks_at="The Git tag of the release that each environment runs today",
    cure="Tag the commit, then start the workflow `stagegate` with the mode `adopt`.",
    check=check,
)
