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
            "The repository has no stagegate.yaml.",
            "Every action reads its settings from this file.",
            "stagegate init",
        )
    for app in facts.apps:
        if app.unread:
            yield finding(
                "warning",
                f"doctor did not check {app.config}, because the shared policy {app.unread} of "
                "this file was not read.",
                app.why,
                'stagegate doctor --token "$(gh auth token)"',
                file=app.config,
            )
        elif app.settings is None:
            yield msgspec.structs.replace(
                finding("error", app.trouble, "No action runs with this file.", file=app.config),
                line=app.line,
            )
    names = [settings.app for _, settings in facts.valid]
    for config, settings in facts.valid:
        if names.count(settings.app) > 1:
            yield finding(
                "error",
                f"Two settings files have the same app {settings.app}.",
                "Statuses, branches and evidence contain the app's name, so the two apps would "
                "overwrite each other's.",
                "Give each app a different name in `app:`.",
                file=config,
            )


CHECK = DoctorCheck(
    name="settings-valid",
    looks_at="The settings files: whether there is one, and every mistake in them",
    cure="Correct the lines that the message names.",
    check=check,
)
