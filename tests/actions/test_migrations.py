"""A chart with a migration Job is promoted and rolled back without a label or an override."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promotion.shop_world import VERSIONS, Shop, shop
from tests.promotion.steps import promote_pr

JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: shop-migration
  labels: {helm.sh/chart: "shop-{{ .Chart.Version }}"}
  annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: migration
          image: "{{ .Values.image }}:{{ .Values.global.imageTag }}"
          command: [migrate]
"""


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    with shop(tmp_path, host, versions=()) as made:
        yield made


def publish(world: Shop, job: str, *versions: str) -> None:
    world.templates["migration.yaml"] = job
    for version in versions:
        world.publish(version)


def run(world: Shop, **inputs: str) -> tuple[int, dict[str, str]]:
    """One step of promote-pr; its exit code and outputs."""
    return promote_pr(world.environ(**inputs)), world.outputs()


def body(world: Shop, told: dict[str, str]) -> str:
    pull = world.hub().pull(int(told["pr-number"]))
    assert pull is not None
    return pull.body


def test_a_release_with_a_migration_is_promoted_and_rolled_back_without_a_label(world: Shop) -> None:
    publish(world, JOB, *VERSIONS[:2])
    assert run(world, environment="staging", version="1.1.0")[1]["reason"] == "committed"
    world.passed("1.1.0")
    code, outputs = run(world, environment="prod")
    assert (code, outputs["reason"]) == (0, "proposed")
    assert world.hub().statuses(outputs["commit"])[0].state == "success"
    assert "Job/shop-migration runs during the roll-out. Only the image of the Job changes" in body(
        world, outputs
    )
    world.merge(int(outputs["pr-number"]))
    world.passed("1.0.0", "prod")
    world.forge.advance(60)
    code, outputs = run(world, mode="rollback", environment="prod", reason="orders are lost")
    assert (code, outputs["reason"]) == (0, "proposed")
    assert world.hub().statuses(outputs["commit"])[0].state == "success"
    assert "Check whether `1.0.0` works with the results of these Jobs" in body(world, outputs)


def test_a_migration_with_another_command_needs_a_label(world: Shop) -> None:
    publish(world, JOB, "1.0.0")
    publish(world, JOB.replace("[migrate]", "[migrate, --drop]"), "1.1.0")
    code, outputs = run(world, environment="staging", version="1.1.0")
    assert (code, outputs["reason"]) == (1, "risky-change")
    assert "stagegate/risk:hook-job" in world.report()["message"]["why"]


def test_a_rollback_over_a_marked_migration_is_refused(world: Shop) -> None:
    publish(world, JOB, "1.0.0")
    publish(world, JOB.replace('upgrade"}', 'upgrade", stagegate/irreversible: "true"}'), "1.1.0")
    world.seed_pin("prod", "1.1.0")
    world.passed("1.0.0", "prod")
    code, outputs = run(world, mode="rollback", environment="prod", reason="orders are lost")
    assert (code, outputs["reason"]) == (1, "irreversible")
