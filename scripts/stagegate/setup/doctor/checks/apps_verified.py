"""apps-verified: the workflow that stagegate starts after a promotion reads the settings of the app that moved."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.promotion import apps
from stagegate.proposal import verifying
from stagegate.settings import locations
from stagegate.setup.doctor import workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.workflow_calls import StagegateCall

_VERIFYING = ("events.yml", "production.yml", "staging-gate")


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for apps without a verifying workflow, and for apps whose workflow stagegate does not start."""
    calls = workflow_calls.calls(facts)
    verifiers = [call for call in calls if call.name in _VERIFYING]
    if not verifiers:
        return  # the check `workflows` reports it
    try:
        unnamed = _unnamed(facts)
    except Stop as stop:
        if any(_config_of(call) == locations.FILE for call in verifiers):
            yield finding("error", stop.what, stop.why, stop.next, file=verifiers[0].file)
        return
    files = facts.tree.read(workflow.file for workflow in facts.survey.workflows)
    started = verifying.choose({file: text.decode(errors="replace") for file, text in files.items()})
    named = any(call.inputs.get("verify-workflow") for call in calls)
    for config, settings in facts.valid:
        if not settings.environments or settings.policy:
            continue
        readers = sorted({call.file for call in verifiers if _reads(call, config, unnamed)})
        if not readers:
            yield finding(
                "error",
                f"No workflow verifies the pins of {settings.app}.",
                f"{verifiers[0].name} in {verifiers[0].file} reads {_configs(verifiers)}, but not {config}.",
                f"Write `config: {_pattern(facts, config)}` below the `with:` of {verifiers[0].name}.",
                file=verifiers[0].file,
            )
        elif started and started not in readers and not named:
            yield finding(
                "error",
                f"After a promotion of {settings.app}, stagegate starts the workflow {started}, "
                f"but this workflow does not read {config}.",
                f"The workflow {readers[0]} reads {config}, but without `verify-workflow` "
                "stagegate starts only one workflow.",
                f"Write `config: {_pattern(facts, config)}` in {started} and delete {readers[0]}, or give the "
                f"promotions of {settings.app} the input `verify-workflow: {posixpath.basename(readers[0])}`.",
                file=started,
            )


def _unnamed(facts: DoctorFacts) -> tuple[str, ...]:
    """The settings files that a call without `config` reads. Stop(bad-input) where they are in several places."""
    entries = facts.tree.entries
    return (locations.FILE,) if locations.FILE in entries else locations.find(entries)


def _config_of(call: StagegateCall) -> str:
    return str(call.inputs.get("config") or locations.FILE)


def _reads(call: StagegateCall, config: str, unnamed: tuple[str, ...]) -> bool:
    glob = _config_of(call)
    if glob == locations.FILE:
        return config in unnamed
    return "${{" in glob or bool(apps.matching((config,), glob))


def _configs(calls: Iterable[StagegateCall]) -> str:
    return ", ".join(sorted({_config_of(call) for call in calls}))


def _pattern(facts: DoctorFacts, config: str) -> str:
    """A glob over the settings files beside this one, where there are several."""
    folder, name = posixpath.split(config)
    glob = f"{posixpath.dirname(folder)}/*/{name}".lstrip("/")
    several = len(apps.matching((app.config for app in facts.apps), glob)) > 1
    return glob if several else config


CHECK = DoctorCheck(
    name="apps-verified",
    looks_at="Whether the workflow that verifies changed pins reads the settings of every app",
    cure="Set `config` to a glob that matches the settings files of all apps.",
    check=check,
)
