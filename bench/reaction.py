"""The gate's reaction: from the moment Argo CD shows the release ready to the gate's verdict."""

from __future__ import annotations

import contextlib
import io
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.table import Row
from lab.argocd import ArgoCD
from lab.registry import Registry
from stagegate.clients import argocd
from stagegate.gate import rollout
from stagegate.gate.look import Expected
from stagegate.gate.plan import Ready
from stagegate.gate.rollout import Order
from tests.lab.argo_world import World

NAME = "staging"
VERSIONS = ("1.1.0", "1.2.0", "1.3.0")
LONG = 60.0


def rows(folder: Path) -> Iterator[Row]:
    """One row: the median over three roll-outs, without settle time."""
    with Registry(folder / "registry") as registry:
        world = World(folder, registry.host).begin()
        for version in ("1.0.0", *VERSIONS):
            world.release(version)
        world.pin(NAME, "1.0.0")
        with ArgoCD(
            folder / "argo", world.bare, registry_rewrite={"ghcr.io": world.host}, interval=0.2
        ) as argo:
            argo.wait(lambda document: shows(document, "1.0.0"), NAME, LONG)
            with contextlib.redirect_stdout(io.StringIO()):  # the gate prints what it reads
                late = statistics.median(reaction(world, argo, version) for version in VERSIONS)
    yield Row("gate, from Healthy to its verdict", f"{late:.2f} s", "1 s", late, "1 s", late <= 1)


def reaction(world: World, argo: ArgoCD, version: str) -> float:
    """Seconds between the first document that shows the release ready and the end of the wait for it."""
    shown: list[float] = []

    def see() -> None:
        argo.wait(lambda document: shows(document, version), NAME, LONG)
        shown.append(time.monotonic())

    order = Order(
        environment=NAME, names=(NAME,), timeout=LONG, commit=lambda *_: "current", pods=lambda _: Ready()
    )
    expected = Expected(
        version=version, chart="oci://ghcr.io/acme/charts/shop", chart_version=version, settle=0.0
    )
    watcher = threading.Thread(target=see)
    watcher.start()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(rollout.wait, argocd.ArgoCD(argo.url, argo.token), expected, order)
        world.pin(NAME, version)
        argo.poke()
        ended = running.result()
        now = time.monotonic()
    watcher.join()
    if ended.outcome != "ready":
        raise RuntimeError(f"the gate says {ended.reason}: {ended.detail}")
    return max(0.0, now - shown[0])


def shows(document: dict[str, Any], version: str) -> bool:
    """A document in which Argo CD reports this version as synced and healthy, after the sync."""
    status = document.get("status") or {}
    operation = status.get("operationState") or {}
    return (
        document["spec"]["source"]["targetRevision"] == status.get("sync", {}).get("revision") == version
        and status["sync"]["status"] == "Synced"
        and status["health"]["status"] == "Healthy"
        and operation.get("phase") == "Succeeded"
        and status["reconciledAt"] >= operation["finishedAt"]
    )
