"""trust-app: under `trust: protected` the App exists, and its key is only in limited GitHub Environments."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from stagegate.model import Finding, moment
from stagegate.setup.doctor import github_environments
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts, HubFacts

KEY = "APP_KEY"
_OLD = 365  # days after which a key should be replaced


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for the App, the places of its key, and the key's age."""
    hub = facts.hub
    protected = [(config, s) for config, s in facts.valid if s.trust.level == "protected"]
    if hub is None or not protected:
        return
    config, settings = protected[0]
    if hub.app_account is False:
        yield finding(
            "error",
            f"There is no GitHub App {settings.trust.app}.",
            "Evidence counts only if GitHub reports this App as the creator.",
            f"Correct `trust.app` in {config}. The right value is the last part of the App's address.",
            file=config,
        )
    if KEY in (hub.secrets.get("") or {}):
        yield finding(
            "error",
            f"{KEY} is a secret of the whole repository.",
            "A workflow on any branch can read this secret, and write evidence as the App.",
            f"Set the secret in each GitHub Environment, then run: gh secret delete {KEY} --repo "
            f"{hub.repository}",
        )
    for name in github_environments.wanted(facts):
        held = hub.secrets.get(name)
        if held is None:
            continue
        if KEY not in held:
            yield finding(
                "error",
                f"The GitHub Environment {name} has no secret {KEY}.",
                "The jobs of this GitHub Environment write statuses, but statuses count only if "
                "the App writes them.",
                f"gh secret set {KEY} --env {shlex.quote(name)} --repo {hub.repository} < {settings.trust.app}.pem",
            )
        else:
            yield from _age(hub, name, held[KEY].updated_at)


def _age(hub: HubFacts, name: str, updated: str) -> Iterator[Finding]:
    try:
        days = (hub.now - moment(updated)).days
    except ValueError:
        return
    yield finding(
        "warning" if days > _OLD else "note",
        f"{KEY} in {name} was set {days} days ago.",
        "Anybody who has the key can write evidence.",
        "Make a new key in the settings of the App, store it in every GitHub Environment, and "
        "delete the old key."
        if days > _OLD
        else f"gh secret set {KEY} --env {shlex.quote(name)} --repo {hub.repository} when you replace it",
    )


CHECK = DoctorCheck(
    name="trust-app",
    looks_at="`trust: protected`: the App, where its key is stored, and the age of the key",
    cure="Store the key in each GitHub Environment whose jobs write statuses, and nowhere else.",
    check=check,
    needs=frozenset({"github"}),
)
