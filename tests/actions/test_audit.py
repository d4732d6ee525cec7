"""audit lists who proposed, approved, merged and overrode each promotion; evidence names the same people."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stagegate import settings as settings_file
from stagegate.actions import audit, promote_pr
from stagegate.evidence import accepted
from stagegate.model import PromotedBy
from stagegate.promotion import app_state, provenance
from stagegate.promotion import run as promotion_run
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from tests.promotion.shop_world import Shop, shop

PROD = "promotion: {reviewers: [octo-lead], labels: [stagegate]}"


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    """1.1.0 went to staging by a commit, and to prod by an approved pull request that stagegate merged, with `soak`
    set aside; then prod was held, and somebody edited the pin by hand."""
    change = {PROD: "soak: 1d\n    promotion: {merge: stagegate, approvals: 1}"}
    with shop(tmp_path, host, changes=change) as made:
        run(made, environment="staging", version="1.1.0")
        made.passed("1.1.0")
        place = {"environment": "prod", "version": "1.1.0"}
        run(made, mode="override", **place, rules="soak", reason="hotfix for the till")
        told = run(made, **place)
        made.review(int(told["pr-number"]), "octo-dev", "APPROVE")
        assert run(made, mode="evaluate")["reason"] == "merged"
        made.passed("1.1.0", "prod")
        run(made, mode="hold", environment="prod", reason="the database moves")
        run(made, mode="unhold", environment="prod")
        made.seed_pin("prod", "1.0.0")
        yield made


def run(world: Shop, **inputs: str) -> dict[str, str]:
    entrypoint("promote-pr", promote_pr.PromotePr, promote_pr.main, argv=[], environ=world.environ(**inputs))
    return world.outputs()


def audited(world: Shop, **inputs: str) -> list[dict[str, Any]]:
    """The entries of an audit as JSON."""
    environ = world.environ(file="audit.json", **inputs)
    assert entrypoint("audit", audit.AuditInputs, audit.main, argv=[], environ=environ) == 0
    world.outputs()
    return list(json.loads((world.folder / "audit.json").read_bytes())["entries"])


def one(entries: list[dict[str, Any]], **fields: str) -> dict[str, Any]:
    found = [entry for entry in entries if all(entry[name] == value for name, value in fields.items())]
    assert len(found) == 1, (fields, entries)
    return found[0]


def test_each_promotion_names_its_people_and_rules(world: Shop) -> None:
    entries = audited(world)
    staged = one(entries, what="promotion", environment="staging")
    assert (staged["version"], staged["proposed_by"]) == ("1.1.0", "octo-lead")
    promoted = one(entries, what="promotion", environment="prod")
    assert (promoted["version"], promoted["approved_by"]) == ("1.1.0", ["octo-dev"])
    assert promoted["merged_by"] == "github-actions[bot]"
    assert "soak by octo-lead: hotfix for the till" in promoted["overridden"]
    assert promoted["rules"].startswith("pass ")
    assert "evidence" in promoted["rules"]
    assert promoted["policy"]
    assert promoted["url"].endswith("/pull/1")
    assert one(entries, what="gate", environment="prod")["outcome"] == "passed"
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)


def test_marks_and_changes_by_hand_are_listed(world: Shop) -> None:
    entries = audited(world)
    override = one(entries, what="override")
    assert (override["by"], override["overridden"]) == ("octo-lead", "soak")
    assert override["detail"].startswith("hotfix for the till (until ")
    assert one(entries, what="hold")["detail"] == "the database moves"
    assert one(entries, what="lifted")["by"] == "octo-lead"
    assert [entry["what"] for entry in entries if entry["what"] == "by-hand"]


def test_a_period_and_an_environment_limit_the_audit(world: Shop) -> None:
    assert {entry["environment"] for entry in audited(world, environment="staging")} == {"staging", ""} - {""}
    world.forge.advance(40 * 86_400)
    assert audited(world) == []
    assert audited(world, since="2020-01-01", until="2020-12-31") == []
    environ = world.environ(since="yesterday")
    assert entrypoint("audit", audit.AuditInputs, audit.main, argv=[], environ=environ) == 2


def test_csv_has_a_row_for_each_entry_and_no_formulas(world: Shop) -> None:
    run(world, mode="hold", environment="prod", reason="=1+1")
    environ = world.environ(file="audit.csv", format="csv")
    assert entrypoint("audit", audit.AuditInputs, audit.main, argv=[], environ=environ) == 0
    rows = list(csv.DictReader((world.folder / "audit.csv").read_text().splitlines()))
    assert len(rows) == int(world.outputs()["entries"])
    assert "'=1+1" in {row["detail"] for row in rows}
    assert not [value for row in rows for value in row.values() if value.startswith("=")]


def test_evidence_names_the_people_and_ignores_trailers_of_others(world: Shop) -> None:
    settings = settings_file.load(world.folder / "stagegate.yaml", "stagegate.yaml")
    url = world.forge.url
    context = Context(
        workspace=world.folder,
        repository="acme/shop",
        server_url=url,
        api_url=url,
        graphql_url=f"{url}/graphql",
    )
    connections = promotion_run.connect(promote_pr.PromotePr(token=world.token), settings, context)
    writers = accepted.accepted(settings, connections.app, connections.pins)
    staging = settings.environment("staging")

    def promoted(version: str) -> PromotedBy:
        state = app_state.read(connections, settings)
        found = provenance.of(connections.pins, state, staging, version, writers)
        assert found is not None
        return found

    assert (promoted("1.1.0").proposed_by, promoted("1.1.0").rules[:5]) == ("octo-lead", "pass ")
    forged = "mine\n\nStagegate-App: shop\nStagegate-Version: 1.2.0\nStagegate-Environment: staging\n"
    text = world.pins("staging").replace("1.1.0", "1.2.0")
    world.repo.seed({"deploy/staging.yaml": text}, f"{forged}Stagegate-Approved-By: octo-lead")
    assert promoted("1.2.0").approved_by == ()
