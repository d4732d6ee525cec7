"""Reads the facts of a gate."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import msgspec

from stagegate.clients.argocd import ArgoCD, access, client, oidc
from stagegate.clients.hub import Hub
from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.evidence.records import Record
from stagegate.gate import scenarios as scenario_files
from stagegate.gate.expected import Expected
from stagegate.gate.scenarios import Scenarios
from stagegate.model import Actor, Finding, PromotedBy, Release, Trust
from stagegate.runner import log
from stagegate.settings import Environment, Settings, seconds

LONGEST = 24 * 3600  # seconds; a job on a hosted runner ends after six hours


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """The reason why a release is not tested: a finding with the rule that its pin violates."""

    reason: str
    finding: Finding


class OtherGates(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that make this run unneeded, or only a look.

    `proof` is a record that proves exactly this already, `run` another run that gates it. `unchanged`: the last
    verdict here passed or was adopted, for this release, and neither pins nor used files changed since.
    `insisted`: a person with the permission wants a gate all the same.
    """

    proof: Record | None = None
    run: str = ""
    unchanged: bool = False
    insisted: bool = False


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the verdict depends on, except the observations in the environment.

    `policy` is the blob of the settings on the default branch of the pins repository, `head` its commit,
    `pinned` the version the pins name there, `files` the digest of the pins and of every file that the
    environment's Applications use there (empty: not known), `accepted` whose records count, `objection` is why
    the release should not have come here, `promotion` who brought it.
    """

    settings: Settings
    environment: Environment
    release: Release
    policy: str
    pins: str
    head: str
    pinned: str
    files: str = ""
    trust: Trust
    accepted: tuple[Actor, ...]
    records: tuple[Record, ...]
    objection: Objection | None = None
    promotion: PromotedBy | None = None
    others: OtherGates = OtherGates()
    scenarios: Scenarios | None = None
    timeout: float


def timeout_of(environment: Environment, requested: str) -> float:
    """Seconds of the input, else of the settings. Stop(bad-input) for anything but `90s`, `20m`, `1h`."""
    text = requested or environment.gate.timeout
    number, unit = text[:-1], text[-1:]
    if unit not in "smhd" or not (number.isascii() and number.isdigit()) or seconds(text) > LONGEST:
        raise Stop(
            "bad-input",
            f"timeout is {text!r}.",
            "The timeout must be a whole number with s, m or h, and at most 24h.",
            "Write the timeout as in 20m.",
        )
    return float(seconds(text))


def scenarios_of(
    environment: Environment, release: Release, app: Hub, file: str, *, adopts: bool = False
) -> Scenarios | None:
    """The scenarios at the release commit, or None without a file in the policy.

    A release that is adopted may be older than the file: then the default branch's is taken.
    """
    if not environment.gate.scenarios:
        return None
    blob = app.files(release.commit, [file])[file]
    if blob is None and adopts:
        log.say(
            f"the release {release.tag} does not contain {file}, so the gate uses the file of the "
            "default branch"
        )
        blob = app.files(app.default_head(), [file])[file]
    if blob is None:
        raise scenario_files.missing(file, release.commit)
    return scenario_files.parse(blob.content, file, environment.gate.variables)


def needs(facts: Facts) -> None:
    """Stop when no verdict is possible with the settings: nothing to wait for, or no source."""
    argocd, gate = facts.environment.argo, facts.environment.gate
    if argocd.source == "http":
        if facts.scenarios is None or not facts.scenarios.asks_version:
            raise _unfit(
                f"The gate of {facts.environment.name} could not find out which version the service runs.",
                "Without Argo CD, only the service itself reports its version, but no check of "
                "`gate.scenarios` compares {version}.",
                'Add a check with `json: {version: "{version}"}` to the scenario file.',
            )
    elif argocd.source == "api" and not argocd.applications and not argocd.selector:
        raise _unfit(
            f"The environment {facts.environment.name} has no Argo CD Application.",
            "The key `argocd` of the environment contains neither `applications` nor `selector`.",
            "List the Argo CD Applications in `argocd.applications` (with `source: kubernetes`, "
            "the workloads), or set `argocd: none`.",
        )
    if not gate.scenarios and not gate.command:
        log.say(
            f"{facts.environment.name} has neither scenarios nor a command: the gate will end with "
            "the reason no-checks"
        )


def _unfit(what: str, why: str, next_step: str) -> Stop:
    return Stop("bad-settings", what, why, next_step)


def expected(facts: Facts, repositories: tuple[str, ...], tag_object: str = "") -> Expected:
    """The release for the comparison; `tag_object` is the id of its annotated tag."""
    release, chart = facts.release, facts.release.chart
    reference = chart.reference if chart else facts.settings.chart_reference
    return Expected(
        version=release.version,
        chart=reference,
        chart_version=chart.version if chart else "",
        chart_digest=chart.digest if chart else "",
        moves_chart=facts.settings.moves_chart or not facts.settings.chart_reference,
        repositories=repositories,
        release_tag=release.tag,
        release_commit=release.commit,
        release_tag_object=tag_object,
        pinned=facts.pinned,
        settle=float(seconds(facts.environment.gate.settle)),
        patience=float(seconds(facts.environment.gate.patience)),
        degraded_after=float(seconds(facts.environment.gate.degraded_after)),
        canary=float(seconds(facts.environment.gate.canary)),
        canary_in_job=float(seconds(facts.environment.gate.canary_in_job)),
        accepts_suspended=facts.environment.gate.suspended == "allow",
    )


def argocd(environment: Environment, server: str, token: str, headers: tuple[str, ...], ca: str) -> ArgoCD:
    """The Argo CD of an environment; address and token come from the GitHub Environment."""
    extra = access.headers(headers)
    settings_of_argo, file = environment.argo, access.ca_file(ca)
    if settings_of_argo.auth == "oidc":
        token = oidc.exchanged(client.address(server), settings_of_argo.connector, ca=file, headers=extra)
    return ArgoCD(
        server,
        token,
        headers=extra,
        ca=file,
        project=settings_of_argo.project,
        namespace=settings_of_argo.namespace,
    )


def names(environment: Environment, source: ArgoCD) -> tuple[str, ...]:
    """The Applications of an environment: as listed, and those the selector finds now.

    One that is in another namespace than Argo CD's usual one, or the settings' `namespace`, is `namespace/name`.
    """
    listed = dict.fromkeys(environment.argo.applications)
    if environment.argo.selector:
        documents = source.applications(environment.argo.selector)
        listed |= dict.fromkeys(_qualified(item, environment.argo.namespace) for item in documents)
    chosen = tuple(name for name in listed if name)
    if not chosen:
        raise Stop(
            "bad-settings",
            f"Argo CD shows no Application for the environment {environment.name}.",
            f"The selector {environment.argo.selector!r} matches no Application that this token may read.",
            "Correct `argocd.selector`, or give the token `applications, get` on these Applications.",
        )
    return chosen


def _qualified(document: Mapping[str, Any], own_namespace: str) -> str:
    metadata = document.get("metadata") or {}
    name, namespace = str(metadata.get("name", "")), str(metadata.get("namespace", ""))
    return name if namespace in ("", own_namespace or "argocd") else f"{namespace}/{name}"


def moved(registry: Registry, release: Release, tags: tuple[str, ...]) -> str:
    """A sentence when a tag of the release now has other content than recorded, else nothing."""
    own_images = (image for image in release.images if image.first_party)
    for image, tag in product(own_images, tags):
        now = registry.digest(f"{image.reference}:{tag}")
        if now is not None and now != image.digest:
            return f"{image.reference}:{tag} is now {now}, but the release has {image.digest}"
    return ""


def repositories(app: Hub, pins: Hub) -> Mapping[str, Hub]:
    """The repositories whose commits the gate can read."""
    return {app.repository: app, pins.repository: pins}
