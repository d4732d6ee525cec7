"""variables: the variables and secrets of jobs are set: Argo CD's address and token, scenario variables, hosts."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

import msgspec

from stagegate.model import Finding, Severity
from stagegate.settings import Environment, Settings
from stagegate.setup.doctor import github_environments, workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts, HubFacts

LINES = "STAGEGATE_VARIABLES"
TOKEN = "ARGOCD_TOKEN"  # noqa: S105  the name of the secret
_TOKEN_IS = "The gate needs the token of an Argo CD account that may `get` the Applications."  # noqa: S105
_MAKE_TOKEN = "argocd account generate-token --account stagegate"  # noqa: S105


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for the variables and secrets of each environment, of a second repository, and of a registry."""
    hub = facts.hub
    if hub is None:
        return
    is_mapped = any(call.name == "staging-gate" for call in workflow_calls.calls(facts))
    for _, settings, environment in facts.places:
        if settings.policy:
            continue
        name = github_environments.name_of(facts, settings.app, environment)
        variables, secrets = _held(hub.variables, name), _held(hub.secrets, name)
        if variables is None or secrets is None:
            yield finding(
                "note",
                f"The variables and secrets of the GitHub Environment {name} could not be listed.",
                "The token lacks `variables: read` or `secrets: read`, or the Environment does not exist.",
                "Run doctor with the token of an administrator of the repository.",
                environment=environment.name,
            )
            continue
        place = _Place(hub, environment, name, variables | secrets, is_mapped, _passes_token(facts))
        yield from _argocd(place, variables, secrets)
        yield from _scenarios(settings, place)
        yield from _hosts(hub, environment, name, variables)
        yield from _channels(settings, place)
    yield from _elsewhere(facts, hub)


def _argocd(place: _Place, variables: set[str], secrets: set[str]) -> Iterator[Finding]:
    """Findings for Argo CD's address, and for its token if the gates get it as a separate secret."""
    environment, repository = place.environment, place.hub.repository
    if environment.argo.source != "api":
        return
    if "ARGOCD_SERVER" not in variables and LINES not in secrets:
        yield finding(
            "error",
            f"{place.name} has no variable ARGOCD_SERVER.",
            f"The gate of {environment.name} reads Argo CD at that address.",
            f"gh variable set ARGOCD_SERVER --env {shlex.quote(place.name)} --repo {repository} "
            "--body argocd.example.com",
            environment=environment.name,
        )
    if environment.argo.auth != "token":
        return
    if place.passes_token and not {TOKEN, LINES} & secrets:
        yield finding(
            "error",
            f"{place.name} has no secret {TOKEN}.",
            _TOKEN_IS,
            f"{_MAKE_TOKEN} | gh secret set {TOKEN} --env {shlex.quote(place.name)} --repo {repository}",
            environment=environment.name,
        )
    elif not place.passes_token and {TOKEN, LINES} <= secrets:
        yield finding(
            "warning",
            f"No job passes the secret {TOKEN} of {place.name} to the gate of {environment.name}.",
            f"The calls in the workflows pass {LINES} and not {TOKEN}.",
            f"Write {TOKEN}=... as a line of the secret {LINES}, and delete the other: gh secret delete {TOKEN} "
            f"--env {shlex.quote(place.name)} --repo {repository}",
            environment=environment.name,
        )


def _passes_token(facts: DoctorFacts) -> bool:
    """Whether the token reaches the gates as a secret of its own. A called workflow sees only what it is passed;
    jobs that call no workflow of stagegate read every secret."""
    calls = workflow_calls.calls(facts)
    passed = {name for call in calls for name in call.secrets}
    return (
        not passed or bool(passed & {TOKEN, "inherit"}) or any(call.name == "staging-gate" for call in calls)
    )


class _Place(msgspec.Struct, frozen=True):
    """A GitHub Environment of a gate: its name, and the names of variables and secrets that its jobs can be given.

    `is_mapped`: a job of the user runs the gate, and its `env:` can map those that are set by their own names.
    `passes_token`: Argo CD's token reaches the gate as a secret of its own.
    """

    hub: HubFacts
    environment: Environment
    name: str
    held: set[str]
    is_mapped: bool
    passes_token: bool


def _lines(severity: Severity, names: Sequence[str], why: str, place: _Place) -> Iterator[Finding]:
    """Findings for variables that are neither set nor lines of the secret STAGEGATE_VARIABLES."""
    missing = [variable for variable in names if variable not in place.held]
    alone = [variable for variable in names if variable in place.held and not place.is_mapped]
    if not (missing or alone) or LINES in place.held:
        return
    lines = "\\n".join(f"{variable}=..." for variable in [*missing, *alone])
    if missing:
        message = f"{place.name} has neither {', '.join(missing)} nor the secret {LINES}."
    else:
        message = f"{place.name} has {', '.join(alone)}, but not as lines of the secret {LINES}."
        why = f"{why} Called workflows read these variables only from this secret."
    yield finding(
        severity,
        message,
        why,
        f"printf '{lines}' | gh secret set {LINES} --env {shlex.quote(place.name)} --repo {place.hub.repository}",
        environment=place.environment.name,
    )


def _scenarios(settings: Settings, place: _Place) -> Iterator[Finding]:
    """The scenario variables, and with them Argo CD's token where the calls pass the one secret only."""
    names, whys, argo = list(place.environment.gate.variables), list[str](), place.environment.argo
    if names:
        whys.append(
            f"The scenarios of {settings.app} use {', '.join(names)}, and an empty one ends the gate."
        )
    if argo.source == "api" and argo.auth == "token" and not place.passes_token:
        names.append(TOKEN)
        whys.append(f"{TOKEN}: {_TOKEN_IS[0].lower()}{_TOKEN_IS[1:]} Make it with `{_MAKE_TOKEN}`.")
        place = msgspec.structs.replace(place, held=place.held - {TOKEN})
    yield from _lines("error", names, " ".join(whys), place)


def _hosts(hub: HubFacts, environment: Environment, name: str, variables: set[str]) -> Iterator[Finding]:
    if environment.gate.variables and "STAGEGATE_HOSTS" not in variables:
        yield finding(
            "error",
            f"{name} has no variable STAGEGATE_HOSTS.",
            "stagegate sends the variables of scenarios only to the hosts that STAGEGATE_HOSTS lists.",
            f"gh variable set STAGEGATE_HOSTS --env {shlex.quote(name)} --repo {hub.repository} --body "
            f"{environment.name}.example.com",
            environment=environment.name,
        )


def _channels(settings: Settings, place: _Place) -> Iterator[Finding]:
    """The addresses of `notify`, which the gate of this environment sends to, and the hosts it may send to."""
    addresses = [channel.url for channel in settings.notify.channels if channel.url]
    why = (
        f"stagegate sends messages about {settings.app} to the addresses under `notify`; without them it sends "
        "none."
    )
    yield from _lines("warning", addresses, why, place)
    if addresses and not place.environment.gate.variables and "STAGEGATE_HOSTS" not in place.held:
        yield finding(
            "warning",
            f"{place.name} has no variable STAGEGATE_HOSTS.",
            "notify sends messages only to hosts that STAGEGATE_HOSTS lists.",
            f"gh variable set STAGEGATE_HOSTS --env {shlex.quote(place.name)} --repo {place.hub.repository} "
            "--body hooks.slack.com",
            environment=place.environment.name,
        )


def _elsewhere(facts: DoctorFacts, hub: HubFacts) -> Iterator[Finding]:
    """Findings for SOURCE_TOKEN with a second repository, and for the login of a registry other than GitHub's."""
    secrets = hub.secrets.get("")
    if secrets is None:
        return
    passed = {name for call in workflow_calls.calls(facts) for name in call.secrets}
    if any(settings.source for _, settings in facts.valid) and "SOURCE_TOKEN" not in secrets:
        yield finding(
            "error",
            "There is no secret SOURCE_TOKEN.",
            "Tags and evidence are in the repository that `source` names, but the job's token "
            "cannot read that repository.",
            f"gh secret set SOURCE_TOKEN --repo {hub.repository}",
        )
    policies = sorted({settings.policy.partition("//")[0] for _, settings in facts.valid if settings.policy})
    if policies and "PINS_TOKEN" in passed and "PINS_TOKEN" not in secrets:
        yield finding(
            "error",
            "There is no secret PINS_TOKEN.",
            f"To announce a release, stagegate starts the workflow of {', '.join(policies)}, which "
            "needs this token.",
            f"Store a token with `actions: write` on {', '.join(policies)}: gh secret set "
            f"PINS_TOKEN --repo {hub.repository}",
        )
    hosts = {host for _, settings in facts.valid for host in settings.registry_hosts}
    if hosts - {"ghcr.io"} and "REGISTRY_PASSWORD" in passed and "REGISTRY_PASSWORD" not in secrets:
        yield finding(
            "error",
            f"There is no secret REGISTRY_PASSWORD for {', '.join(sorted(hosts - {'ghcr.io'}))}.",
            "The job's token can log in only to ghcr.io.",
            f"gh variable set REGISTRY_USERNAME --repo {hub.repository} --body robot && "
            f"gh secret set REGISTRY_PASSWORD --repo {hub.repository}",
        )


def _held(held: object, name: str) -> set[str] | None:
    """Names in an Environment and in the repository, both visible to jobs; None if one is unknown."""
    in_environment, shared = held.get(name), held.get("")  # type: ignore[attr-defined]
    return None if in_environment is None else {*in_environment, *(shared or {})}


CHECK = DoctorCheck(
    name="variables",
    looks_at="Variables and secrets that the gates read, in their GitHub Environment or in the repository",
    cure="Set the variable with `gh variable set`, or the secret with `gh secret set`.",
    check=check,
    needs=frozenset({"github"}),
)
