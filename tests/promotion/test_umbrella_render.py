"""The gate renders an umbrella chart with its own values, and with the release's version of our chart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stagegate import settings as settings_file
from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.model import Chart
from stagegate.promotion import gate_world
from tests.promotion.shop_world import Shop

VALUES = "shop:\n  replicas: 3\n  global: {imageTag: v1.2.0-alpine}\n"


def umbrella(world: Shop, version: str) -> dict[str, Any]:
    """An Application of a folder with an umbrella chart, as Argo CD shows it."""
    chart = "apiVersion: v2\nname: umbrella\nversion: 0.0.1\ndependencies:\n"
    chart += f"  - {{name: shop, repository: oci://{world.host}/acme/charts, version: {version}}}\n"
    head = world.repo.seed({"env/prod/Chart.yaml": chart, "env/prod/values.yaml": VALUES})
    source = {
        "repoURL": f"{world.forge.url}/acme/shop.git",
        "path": "env/prod",
        "targetRevision": "main",
    }
    return {
        "metadata": {"name": "shop-prod"},
        "spec": {"destination": {"namespace": "prod"}, "source": source},
        "status": {"sync": {"revision": head, "comparedTo": {"source": source}}},
    }


def rendered(world: Shop, document: dict[str, Any]) -> Any:
    """The one Deployment that the gate expects."""
    world.publish("1.1.0")
    settings = settings_file.parse(world.repo.read("main", "stagegate.yaml"), "stagegate.yaml")
    released = Chart(
        reference=f"{world.host}/acme/charts/shop", version="1.1.0", digest=world.digests["chart 1.1.0"]
    )
    facts: Any = SimpleNamespace(settings=settings, release=SimpleNamespace(chart=released))
    github = world.hub()
    connections = Connections(app=github, pins=github, registry=world.store, config="stagegate.yaml")
    (deployment,) = gate_world.rendered(facts, connections, document).objects
    return deployment


def test_the_values_of_an_umbrella_chart_count(world: Shop) -> None:
    spec = rendered(world, umbrella(world, "1.1.0"))["spec"]
    assert spec["replicas"] == 3
    assert spec["template"]["spec"]["containers"][0]["image"] == f"{world.host}/acme/shop:v1.2.0-alpine"


def test_an_umbrella_chart_with_another_release_is_not_compared(world: Shop) -> None:
    with pytest.raises(Stop, match=r"depends on shop 1\.2\.0, and not on 1\.1\.0"):
        rendered(world, umbrella(world, "1.2.0"))
