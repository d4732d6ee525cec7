"""secrets-passed: a job passes all needed secrets to the workflow that it calls."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from stagegate.model import Finding, Severity
from stagegate.settings import Environment, Settings
from stagegate.setup.doctor import reusable, workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.doctor.reusable import Interface
from stagegate.setup.doctor.workflow_calls import StagegateCall

LINES = "STAGEGATE_VARIABLES"
_FIRST = "road.yml"  # runs only the gates of environments without `after`
_GATING = ("events.yml", "production.yml", "e2e-tests.yml", _FIRST)

_NAMED = re.compile(r"\.[a-z]{2,}(?::\d+)?$")  # a public host, which requires a login to push


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for secrets that a workflow does not accept, and for needed secrets that it does not get."""
    for call in workflow_calls.calls(facts):
        interface = reusable.read(call.name)
        if interface is None or not interface.is_workflow or "inherit" in call.secrets:
            continue
        yield from _unknown(call, interface)
        reported: set[str] = set()
        for severity, name, alternatives, why in _needed(facts, call):
            if (
                name in interface.secrets
                and not {name, *alternatives} & set(call.secrets)
                and name not in reported
            ):
                reported.add(name)
                yield _missing(call, severity, name, why)


def _unknown(call: StagegateCall, interface: Interface) -> Iterator[Finding]:
    for name in call.secrets:
        if name not in interface.secrets:
            yield finding(
                "error",
                f"The job {call.job} passes the secret {name} to {call.name}, which does not "
                "accept this secret.",
                "GitHub does not start a workflow with such a call. The secrets of "
                f"{call.name} are: {', '.join(interface.secrets) or 'none'}.",
                f"Correct the name below `secrets:` of the job {call.job}, or delete the line.",
                file=call.file,
                line=call.line,
            )


def _missing(call: StagegateCall, severity: Severity, name: str, why: str) -> Finding:
    return finding(
        severity,
        f"The job {call.job} does not pass the secret {name} to {call.name}.",
        f"{why} A called workflow sees only the secrets that its caller passes, also those of an Environment.",
        f"Write `{name}: ${{{{ secrets.{name} }}}}` below `secrets:` of the job {call.job}, or `secrets: inherit`.",
        file=call.file,
        line=call.line,
    )


def _needed(facts: DoctorFacts, call: StagegateCall) -> Iterator[tuple[Severity, str, tuple[str, ...], str]]:
    """The needed secrets: severity, name, alternative names, and the reason."""
    for environment in _gated(facts, call):
        if environment.gate.variables:
            names = ", ".join(environment.gate.variables)
            yield "error", LINES, (), f"The gate of {environment.name} reads {names} from this secret."
        if environment.argo.source == "api" and environment.argo.auth == "token":
            why = (
                f"The gate of {environment.name} reads Argo CD with the token in this secret, or with "
                "ARGOCD_TOKEN."
            )
            yield "error", LINES, ("ARGOCD_TOKEN",), why
    for _, settings in facts.valid:
        if any(channel.url for channel in settings.notify.channels):
            yield (
                "warning",
                LINES,
                (),
                "This secret contains the addresses of `notify`, so without it stagegate sends no message.",
            )
        if settings.source:
            why = (
                f"Tags and evidence are in {settings.source_repository}, but the job's token "
                "cannot read this repository."
            )
            yield "error", "SOURCE_TOKEN", ("APP_KEY",), why
        if settings.trust.level == "protected":
            why = f"Under `trust: protected` only records that the App {settings.trust.app} writes count."
            yield "error", "APP_KEY", (), why
        for command, team in _teams(settings) if call.name != _FIRST else ():
            why = (
                f"commands.{command} names the team {team}, but GITHUB_TOKEN cannot read the members "
                "of a team."
            )
            yield "error", "APP_KEY", (), why
        hosts = sorted(settings.registry_hosts - {"ghcr.io"})
        if hosts and not settings.source:
            why = f"The job's token is a login for ghcr.io only, and not for {', '.join(hosts)}."
            pushes = call.name == _FIRST and any(_NAMED.search(host) for host in hosts)
            yield "error" if pushes else "warning", "REGISTRY_PASSWORD", (), why


def _teams(settings: Settings) -> Iterator[tuple[str, str]]:
    for command, people in msgspec.structs.asdict(settings.commands).items():
        for name in people if isinstance(people, tuple) else ():
            if "/" in name:
                yield command, name


def _gated(facts: DoctorFacts, call: StagegateCall) -> Iterator[Environment]:
    """The environments whose gates run in a call."""
    for _, settings, environment in facts.places:
        first = call.name == _FIRST and environment.after
        if call.name in _GATING and not settings.policy and not first:
            yield environment


CHECK = DoctorCheck(
    name="secrets-passed",
    looks_at="The secrets that each call passes, against those that the gates need",
    cure="Pass the secret by its name, or write `secrets: inherit`.",
    check=check,
)
