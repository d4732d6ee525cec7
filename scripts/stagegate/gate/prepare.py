"""Prepares a gate: missing or empty inputs are found before anything is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from stagegate.clients import git, hub, kubernetes
from stagegate.clients.argocd import ArgoCD
from stagegate.clients.hub import Hub
from stagegate.clients.registry import Registry
from stagegate.gate import (
    command_checks,
    commits,
    comparing,
    facts,
    http_checks,
    keep_checking,
    pods,
    rolled_out,
    rollout,
    workloads,
)
from stagegate.gate import images as pod_images
from stagegate.gate.comparing import Compared, Rendering
from stagegate.gate.facts import Facts
from stagegate.gate.following import PodReader
from stagegate.gate.http_checks import Run
from stagegate.gate.order import Order, Rollout
from stagegate.gate.plan import Ready
from stagegate.gate.pods import Relatives
from stagegate.gate.request import GateRequest
from stagegate.gate.scenarios import Scenarios
from stagegate.gate.trial import RunChecks, Trial
from stagegate.model import Calls, EvidenceKind
from stagegate.runner import variables
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


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate looks at: where pods are read (None: nowhere), what to wait for, and how; what is wrong with it
    later, and the content check."""

    pods: PodReader | None = None
    names: tuple[str, ...] = ()
    wait: Callable[[Order], Rollout] = lambda order: Rollout(
        outcome="ready", reason="ready", detail=order.environment, seen=()
    )
    unwell: Callable[[Sequence[str]], str] = lambda _: ""
    compare: Callable[[Rollout], Compared] = lambda _: comparing.not_comparable("Argo CD is not used")


def trial(
    request: GateRequest, kind: EvidenceKind, gate_facts: Facts, world: World, context: Context
) -> Trial:
    """The gate for these inputs and facts. Stop for an empty secret, a foreign host, a wrong work tree."""
    environment, release = gate_facts.environment, gate_facts.release
    tags = gate_facts.settings.image_tags(release.version)
    claims = (*tags, f"sha-{release.commit}")
    relatives = pods.family(world.registry, release.images)
    repositories = facts.repositories(world.app, world.pins)
    order = Order(
        environment=environment.name,
        names=(),
        minimum=environment.argo.min_healthy,
        timeout=gate_facts.timeout,
        commit=commits.reader(
            repositories, gate_facts.pins, gate_facts.head, release, world.pin_files, world.pinned_at
        ),
        pods=lambda _: Ready(),
        parent=environment.argo.parent,
        named=world.named,
        pinned=partial(_pinned_now, world) if gate_facts.pinned == release.version else lambda: "",
    )
    if environment.argo.source == "kubernetes":
        target = _cluster(gate_facts, (*claims, release.version), relatives)
    elif environment.argo.source == "api":
        target = _argocd(request, gate_facts, world, order)
    else:
        target = Target()
    return Trial(
        release=release,
        environment=environment.name,
        kind=kind,
        actor=context.person,
        gate=environment.gate,
        timeout=gate_facts.timeout,
        source=target.pods,
        order=msgspec.structs.replace(order, names=target.names),
        tags=(*claims, release.version),
        claims=claims,
        allowed=gate_facts.settings.images_allowed,
        relatives=relatives,
        scenarios=_tests(
            gate_facts, context, variables.for_tests(gate_facts.environment.gate.variables), kind
        ),
        moved=partial(facts.moved, world.registry, release, tags),
        compare=target.compare,
        wait=target.wait,
        unwell=target.unwell,
    )


def _argocd(request: GateRequest, gate_facts: Facts, world: World, order: Order) -> Target:
    """The Applications of an Argo CD."""
    headers = tuple(line for line in request.argocd_headers.splitlines() if line.strip())
    source = facts.argocd(
        gate_facts.environment, request.argocd_server, request.argocd_token, headers, request.argocd_ca
    )
    tag = world.app.tag(gate_facts.release.tag) if gate_facts.release.tag else None
    repositories = tuple(facts.repositories(world.app, world.pins))
    expected = facts.expected(gate_facts, repositories, tag.object_id if tag else "")
    return Target(
        pods=source,
        names=facts.names(gate_facts.environment, source),
        wait=partial(rollout.wait, source, expected),
        unwell=keep_checking.unwell(source, expected, order),
        compare=_comparison(gate_facts, source, world),
    )


def _cluster(gate_facts: Facts, tags: Sequence[str], relatives: Relatives) -> Target:
    """The workloads of a cluster."""
    argo, images = gate_facts.environment.argo, gate_facts.release.images
    cluster = kubernetes.KubernetesApi(kubernetes.access())
    source = workloads.WorkloadSource(
        cluster,
        argo.namespace or cluster.namespace,
        names=argo.applications,
        selector=argo.selector,
        release=images,
    )
    expected = facts.expected(gate_facts, ())
    observe = partial(
        rolled_out.observation, expected=expected, release=images, tags=tags, relatives=relatives
    )

    def unwell(_: Sequence[str]) -> str:
        observed = observe(source.find())
        return "" if observed.reason == "ready" else f"{observed.reason}: {observed.detail}"

    def wait(order: Order) -> Rollout:
        return workloads.wait(source, expected, order, observe, clock=time.monotonic, sleep=time.sleep)

    def compare(_: Rollout) -> Compared:
        compared = comparing.not_comparable("Argo CD is not used, so there are no manifests to compare")
        templates = tuple(dict.fromkeys(pod_images.written_in(source.find().workloads)))
        return msgspec.structs.replace(compared, images=templates)

    return Target(pods=source, names=(source.namespace,), wait=wait, unwell=unwell, compare=compare)


def _pinned_now(world: World) -> str:
    """The version that the pins on the default branch name now."""
    hub.forget()
    head = world.pins.head(world.pins.default_branch())
    return world.pinned_at(head) if head else ""


def _tests(
    facts: Facts, context: Context, environ: Mapping[str, str], kind: EvidenceKind
) -> RunChecks | None:
    """The checks of this gate, ready to run. Adopting without Argo CD runs those that ask for the version."""
    gate, release = facts.environment.gate, facts.release
    if kind == "adopt":
        if facts.scenarios is None or facts.environment.argo.source != "http":
            return None
        run = Run(file=gate.scenarios, version=release.version, environ=environ)
        return _scenarios(facts.scenarios.of_version(), run)
    if gate.command:
        command_checks.at_release(git.head(context.workspace), release)
        return lambda left: command_checks.run(gate, release, facts.environment.name, context, environ, left)
    if facts.scenarios is None:
        return None
    run = Run(file=gate.scenarios, version=release.version, environ=environ, required=gate.required)
    return _scenarios(facts.scenarios, run)


def _scenarios(scenarios: Scenarios, run: Run) -> RunChecks:
    base = http_checks.prepare(scenarios, run)
    return lambda left: http_checks.run_all(scenarios, base, msgspec.structs.replace(run, left=left))


def _comparison(facts: Facts, source: ArgoCD, world: World) -> Callable[[Rollout], Compared]:
    def namespace(document: Json) -> str:
        destination = (document.get("spec") or {}).get("destination") or {}
        return str(destination.get("namespace") or "default")

    if facts.release.chart is None:
        return lambda _: comparing.not_comparable("the environment deploys no chart of the app")
    return lambda ended: comparing.compare(source, ended, world.render, namespace)


def pinned(
    read: Callable[[Mapping[str, bytes | None]], str], pins: Hub, files: Iterable[str]
) -> Callable[[str], str]:
    """A function that reads the version of the pins at a commit."""
    paths = list(dict.fromkeys(files))

    def at(commit: str) -> str:
        blobs = pins.files(commit, paths)
        return read({path: blob.content if blob else None for path, blob in blobs.items()})

    return at
