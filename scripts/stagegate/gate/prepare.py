"""A gate made ready to run: everything it will ask, found missing or empty before anything is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from stagegate.clients import git
from stagegate.clients.argocd import ArgoCD
from stagegate.clients.hub import Hub
from stagegate.clients.registry import Registry
from stagegate.gate import command_checks, commits, comparing, facts, http_checks, pods
from stagegate.gate.comparing import Compared, Rendering
from stagegate.gate.facts import Facts
from stagegate.gate.http_checks import Run
from stagegate.gate.order import Order, Rollout
from stagegate.gate.plan import Ready
from stagegate.gate.request import GateRequest
from stagegate.gate.scenarios import Scenarios
from stagegate.gate.trial import RunChecks, Trial
from stagegate.model import Calls, EvidenceKind
from stagegate.runner.context import Context

Json = dict[str, Any]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate reaches: both repositories, the registry, how many requests were made; how pins are read at a
    commit and an Application is rendered, which other parts of stagegate know."""

    app: Hub
    pins: Hub
    registry: Registry
    calls: Callable[[], Calls]
    pin_files: tuple[str, ...]
    pinned_at: Callable[[str], str]
    named: Callable[[Json], str]
    render: Callable[[Json], Rendering]


def trial(request: GateRequest, kind: EvidenceKind, known: Facts, world: World, context: Context) -> Trial:
    """The gate that inputs and facts ask for. Stop for an empty secret, a foreign host, a wrong work tree."""
    environment, release = known.environment, known.release
    source = _source(request, known)
    repositories = facts.repositories(world.app, world.pins)
    order = Order(
        environment=environment.name,
        names=facts.names(environment, source) if source else (),
        minimum=environment.argo.min_healthy,
        timeout=known.timeout,
        commit=commits.reader(
            repositories, known.pins, known.head, release, world.pin_files, world.pinned_at
        ),
        pods=lambda _: Ready(),
        parent=environment.argo.parent,
        named=world.named,
        pinned=partial(_pinned_now, world) if known.pinned == release.version else lambda: "",
    )
    tag = world.app.tag(release.tag) if source and release.tag else None
    claims = (*known.settings.image_tags(release.version), f"sha-{release.commit}")
    return Trial(
        release=release,
        environment=environment.name,
        kind=kind,
        actor=context.person,
        gate=environment.gate,
        timeout=known.timeout,
        source=source,
        expected=facts.expected(known, tuple(repositories), tag.object_id if tag else ""),
        order=order,
        tags=(*claims, release.version),
        claims=claims,
        allowed=known.settings.images_allowed,
        relatives=pods.family(world.registry, release.images),
        scenarios=_tests(known, context, os.environ, kind),
        moved=partial(facts.moved, world.registry, release, known.settings.image_tags(release.version)),
        compare=_comparison(known, source, world),
    )


def _pinned_now(world: World) -> str:
    """The version that the pins name on the default branch now."""
    head = world.pins.head(world.pins.default_branch())
    return world.pinned_at(head) if head else ""


def _source(request: GateRequest, known: Facts) -> ArgoCD | None:
    if known.environment.argo.source == "http":
        return None
    headers = tuple(line for line in request.argocd_headers.splitlines() if line.strip())
    return facts.argocd(
        known.environment, request.argocd_server, request.argocd_token, headers, request.argocd_ca
    )


def _tests(
    known: Facts, context: Context, environ: Mapping[str, str], kind: EvidenceKind
) -> RunChecks | None:
    """The checks of this gate, ready to run. Adopting without Argo CD runs those that ask for the version."""
    gate, release = known.environment.gate, known.release
    if kind == "adopt":
        if known.scenarios is None or known.environment.argo.source != "http":
            return None
        run = Run(file=gate.scenarios, version=release.version, environ=environ)
        return _scenarios(known.scenarios.of_version(), run)
    if gate.command:
        command_checks.at_release(git.head(context.workspace), release)
        return lambda left: command_checks.run(gate, release, known.environment.name, context, environ, left)
    if known.scenarios is None:
        return None
    run = Run(file=gate.scenarios, version=release.version, environ=environ, required=gate.required)
    return _scenarios(known.scenarios, run)


def _scenarios(scenarios: Scenarios, run: Run) -> RunChecks:
    base = http_checks.prepare(scenarios, run)
    return lambda left: http_checks.run_all(scenarios, base, msgspec.structs.replace(run, left=left))


def _comparison(known: Facts, source: ArgoCD | None, world: World) -> Callable[[Rollout], Compared]:
    def namespace(document: Json) -> str:
        destination = (document.get("spec") or {}).get("destination") or {}
        return str(destination.get("namespace") or "default")

    if source is None or known.release.chart is None:
        return lambda _: comparing.not_comparable("no chart of ours is deployed here")
    return lambda found: comparing.compare(source, found, world.render, namespace)


def pinned(
    read: Callable[[Mapping[str, bytes | None]], str], pins: Hub, files: Iterable[str]
) -> Callable[[str], str]:
    """A function that says which version the pins name at a commit."""
    paths = list(dict.fromkeys(files))

    def at(commit: str) -> str:
        blobs = pins.files(commit, paths)
        return read({path: blob.content if blob else None for path, blob in blobs.items()})

    return at
