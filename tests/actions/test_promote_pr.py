"""promote-pr as a step: against the forge, a real registry and real helm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import promote_pr
import pytest

from lab.registry import Registry
from stagegate.runner.boundary import entrypoint
from tests.promotion.shop_world import Shop, shop


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry.host


@pytest.fixture
def world(tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    with shop(tmp_path, host) as made:
        yield made


def run(world: Shop, **inputs: str) -> int:
    """One step; its exit code."""
    return entrypoint("promote-pr", promote_pr.PromotePr, promote_pr.main, argv=[], environ=world.environ(**inputs))


def test_direct_commits_the_pin_and_starts_the_verification(world: Shop) -> None:
    assert run(world, environment="staging", version="1.1.0") == 0
    told = world.outputs()
    assert (told["reason"], told["changed"], told["version"]) == ("committed", "true", "1.1.0")
    before = world.repo.read("main~1", "deploy/staging.yaml").decode()
    after = world.pins("staging")
    assert after == before.replace('"1.0.0"', '"1.1.0"').replace("v1.0.0", "v1.1.0")
    assert told["commit"] == world.repo.head("main")
    trailers = world.hub().commit_info(told["commit"])
    assert trailers is not None
    assert trailers.trailers["Stagegate-Version"] == "1.1.0"
    assert [e.name for e in world.forge.events if not e.swallowed][-1:] == ["workflow_dispatch"]


def test_prod_is_proposed_with_evidence_and_refused_without(world: Shop) -> None:
    run(world, environment="staging", version="1.1.0")
    world.outputs()
    assert run(world, environment="prod", version="1.1.0") == 1
    assert world.outputs()["reason"] == "no-evidence"
    assert world.hub().pulls() == []
    world.passed("1.1.0")
    assert run(world, environment="prod", version="1.1.0", save_facts="facts.json") == 0
    told = world.outputs()
    assert told["reason"] == "proposed"
    pull = world.hub().pull(int(told["pr-number"]))
    assert pull is not None
    assert pull.head_ref == "stagegate/promote/shop/prod"
    assert "stagegate" in pull.labels
    assert "v1.1.0" in world.pins("prod", pull.head_sha)
    assert "v1.0.0" in world.pins("prod")
    status = world.hub().statuses(pull.head_sha)[0]
    assert (status.context, status.state) == ("stagegate/pins", "success")

    # The same facts with one digest changed: refused, and nobody is asked.
    facts = (world.folder / "facts.json").read_text()
    calls = len(world.forge.calls)
    digest = world.digests["chart 1.1.0"]
    document = json.loads(facts)
    document["subject"]["release"]["chart"]["digest"] = digest[:-4] + "0000"
    (world.folder / "facts.json").write_text(json.dumps(document))
    assert run(world, environment="prod", facts="facts.json") == 1
    assert world.outputs()["reason"] == "evidence-mismatch"
    assert len(world.forge.calls) == calls
