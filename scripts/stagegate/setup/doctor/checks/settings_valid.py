"""settings-valid: there are settings, and no mistake in them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """No settings at all, then the mistakes of each file."""
    if not facts.apps:
        yield finding(
            "error",
            "There is no stagegate.yaml.",
            "Every action reads its settings from it.",
            "stagegate init",
        )
    for app in facts.apps:
        if app.unread:
            yield finding(
                "warning",
                f"{app.config} was not checked: its shared policy {app.unread} was not read.",
                app.why,
                'stagegate doctor --token "$(gh auth token)"',
                file=app.config,
            )
        elif app.settings is None:
            yield msgspec.structs.replace(
                finding("error", app.trouble, "No action runs with such a file.", file=app.config),
                line=app.line,
            )
    names = [settings.app for _, settings in facts.valid]
    for config, settings in facts.valid:
        if names.count(settings.app) > 1:
            yield finding(
                "error",
                f"Two settings files are of the app {settings.app}.",
                "Statuses, branches and evidence have the app's name, so one would overwrite the other.",
                "Give each app a name of its own in `app:`.",
                file=config,
            )


CHECK = DoctorCheck(
    name="settings-valid",
    looks_at="The settings files: that there are any, and every mistake in them",
    cure="Correct the lines that are named.",
    check=check,
)
