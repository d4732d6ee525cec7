"""promote-pr as a step: against the forge, a real registry and real helm."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.promotion.shop_world import RIGHTS, Shop, shop
from tests.promotion.steps import promote_pr


def run(world: Shop, **inputs: str) -> int:
    """One step; its exit code."""
    return promote_pr(world.environ(**inputs))


def test_direct_commits_the_pin_and_starts_the_verification(world: Shop) -> None:
    assert run(world, environment="staging", version="1.1.0") == 0
    outputs = world.outputs()
    assert (outputs["reason"], outputs["changed"], outputs["version"]) == ("committed", "true", "1.1.0")
    before = world.repo.read("main~1", "deploy/staging.yaml").decode()
    after = world.pins("staging")
    assert after == before.replace('"1.0.0"', '"1.1.0"').replace("v1.0.0", "v1.1.0")
    assert outputs["commit"] == world.repo.head("main")
    trailers = world.hub().commit_info(outputs["commit"])
    assert trailers is not None
    assert trailers.trailers["Stagegate-Version"] == "1.1.0"
    assert [e.name for e in world.forge.events if not e.swallowed][-1:] == ["workflow_dispatch"]


def test_a_moved_pin_without_verification_is_reported(
    world: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    rights = {**RIGHTS, "actions": "read"}
    poor = world.forge.token("", "actions", repositories=["acme/shop"], permissions=rights)
    assert run(world, environment="staging", version="1.1.0", token=poor) == 2
    outputs = world.outputs()
    assert (outputs["reason"], outputs["changed"], outputs["version"]) == (
        "missing-permission",
        "true",
        "1.1.0",
    )
    assert outputs["commit"] == world.repo.head("main")
    assert "v1.1.0" in world.pins("staging")
    said = capsys.readouterr().out
    assert f"is committed for staging ({outputs['commit'][:12]}), but the release was not verified" in said
    assert ("actions: write" in said, said.count("::error")) == (True, 1)


def test_the_verifying_workflow_is_looked_for_before_anything_is_written(world: Shop) -> None:
    before = world.repo.head("main")
    assert run(world, environment="staging", version="1.1.0", verify_workflow="absent.yml") == 2
    assert (world.outputs()["reason"], world.repo.head("main")) == ("missing-file", before)


def test_prod_is_proposed_with_evidence_and_refused_without(world: Shop) -> None:
    run(world, environment="staging", version="1.1.0")
    world.outputs()
    assert run(world, environment="prod", version="1.1.0") == 1
    assert world.outputs()["reason"] == "no-evidence"
    assert world.hub().pulls() == []
    world.passed("1.1.0")
    assert run(world, environment="prod", version="1.1.0", save_facts="facts.json") == 0
    outputs = world.outputs()
    assert outputs["reason"] == "proposed"
    pull = world.hub().pull(int(outputs["pr-number"]))
    assert pull is not None
    assert pull.head_ref == "stagegate/promote/shop/prod"
    assert "stagegate" in pull.labels
    assert "v1.1.0" in world.pins("prod", pull.head_sha)
    assert "v1.0.0" in world.pins("prod")
    status = world.hub().statuses(pull.head_sha)[0]
    assert (status.context, status.state) == ("stagegate/pins", "success")

    # The same facts with one digest changed are refused without a request.
    facts = (world.folder / "facts.json").read_text()
    calls = len(world.forge.calls)
    digest = world.digests["chart 1.1.0"]
    document = json.loads(facts)
    document["subject"]["release"]["chart"]["digest"] = digest[:-4] + "0000"
    (world.folder / "facts.json").write_text(json.dumps(document))
    assert run(world, environment="prod", facts="facts.json") == 1
    assert world.outputs()["reason"] == "evidence-mismatch"
    assert len(world.forge.calls) == calls


def propose(world: Shop, version: str = "1.1.0", **inputs: str) -> dict[str, str]:
    """Propose prod for a version that passed its gate in staging; the outputs."""
    if version not in world.digests:
        world.publish(version)
    run(world, environment="staging", version=version)
    world.outputs()
    world.passed(version)
    assert run(world, environment="prod", version=version, **inputs) == 0
    return world.outputs()


def test_a_second_run_changes_nothing_and_a_newer_release_replaces_the_proposal(world: Shop) -> None:
    first = propose(world)
    calls = len(world.forge.calls)
    assert run(world, environment="prod") == 0
    outputs = world.outputs()
    assert (outputs["reason"], outputs["changed"], outputs["pr-number"]) == (
        "already-proposed",
        "false",
        first["pr-number"],
    )
    assert not [c for c in world.forge.calls[calls:] if c.write]

    number = int(first["pr-number"])
    policy = world.repo.read("main", "stagegate.yaml").decode()
    old = "promotion: {reviewers"
    world.repo.seed({"stagegate.yaml": policy.replace(old, "promotion: {replace: always, reviewers")})
    world.review(number, "octo-dev", "APPROVE")
    calls = len(world.forge.calls)
    second = propose(world, "1.2.0")
    writes = [c for c in world.forge.calls[calls:] if c.write]
    assert (second["reason"], second["pr-number"]) == ("updated", first["pr-number"])
    assert second["commit"] != first["commit"]
    assert "v1.2.0" in world.pins("prod", "stagegate/promote/shop/prod")
    pulls = world.hub().pulls()
    assert [pull.number for pull in pulls] == [number]
    assert "1.2.0" in pulls[0].title
    assert [r.state for r in world.hub().reviews(number)] == ["DISMISSED"]
    assert "refs/heads/stagegate/next/shop/prod" not in world.hub().refs("refs/heads/stagegate/")
    assert writes


def test_an_older_run_does_not_replace_a_newer_proposal(world: Shop) -> None:
    propose(world, "1.1.0")
    propose(world, "1.2.0")
    assert run(world, environment="prod", version="1.1.0") == 4
    assert world.outputs()["reason"] == "superseded"
    assert "v1.2.0" in world.pins("prod", "stagegate/promote/shop/prod")


def test_foreign_commits_are_never_overwritten(world: Shop) -> None:
    first = propose(world)
    head = world.hub(world.forge.token("octo-dev")).create_commit(
        "stagegate/promote/shop/prod", first["commit"], "mine", "", {"note.txt": b"mine"}
    )
    propose_again = run(world, environment="prod", version="1.1.0")
    assert propose_again == 4
    assert world.outputs()["reason"] == "foreign-commits"
    assert world.repo.head("stagegate/promote/shop/prod") == head


def test_merged_commits_of_others_do_not_stop_a_promotion(world: Shop) -> None:
    first = propose(world)
    person = world.hub(world.forge.token("octo-dev"))
    person.create_commit("stagegate/promote/shop/prod", first["commit"], "mine", "", {"note.txt": b"mine"})
    world.merge(int(first["pr-number"]))
    second = propose(world, "1.2.0")
    assert second["reason"] == "proposed"
    assert world.repo.read("stagegate/promote/shop/prod", "note.txt") == b"mine"


def test_a_hold_turns_the_open_proposal_red_until_it_is_lifted(world: Shop) -> None:
    first = propose(world)
    assert run(world, mode="hold", environment="prod", reason="the database is moving", until="2h") == 0
    outputs = world.outputs()
    assert (outputs["reason"], outputs["changed"]) == ("marked", "true")
    newest = world.hub().statuses(first["commit"])[0]
    assert newest.state == "failure"
    assert "octo-lead: the database is moving" in newest.description
    assert run(world, mode="hold", environment="prod", reason="the database is moving", until="") == 0
    world.outputs()

    world.passed("1.2.0")
    assert run(world, environment="prod", version="1.2.0") == 1
    assert world.outputs()["reason"] in ("held-back", "out-of-order")
    assert run(world, environment="prod") == 1
    assert run(world, mode="unhold", environment="prod") == 0
    world.outputs()
    assert world.hub().statuses(first["commit"])[0].state == "success"
    assert run(world, environment="prod", version="1.1.0") == 0


def test_a_person_without_permission_is_refused(world: Shop) -> None:
    environ = world.environ(mode="ban", version="1.1.0", reason="bad") | {"GITHUB_ACTOR": "octo-dev"}
    assert promote_pr(environ) == 1
    assert world.outputs()["reason"] == "not-authorised"
    assert world.hub().refs("refs/heads/stagegate/") == {}


def test_a_banned_version_is_refused_and_the_one_before_is_chosen(world: Shop) -> None:
    run(world, environment="staging", version="1.1.0")
    world.passed("1.1.0")
    world.publish("1.2.0")
    run(world, environment="staging", version="1.2.0")
    world.passed("1.2.0")
    world.outputs()
    run(world, mode="ban", version="1.2.0", reason="loses orders")
    world.outputs()
    assert run(world, environment="prod", version="1.2.0") == 1
    assert world.outputs()["reason"] == "banned-version"
    assert run(world, environment="prod") == 0
    assert world.outputs()["version"] == "1.1.0"


def test_an_override_sets_one_rule_aside_for_one_version(world: Shop) -> None:
    run(world, environment="staging", version="1.1.0")
    world.outputs()
    assert run(world, environment="prod", version="1.1.0") == 1
    world.outputs()
    assert run(
        world, mode="override", environment="prod", version="1.1.0", rules="evidence", reason="hotfix", until="1h"
    ) == 0  # fmt: skip
    world.outputs()
    assert run(world, environment="prod", version="1.1.0") == 0
    outputs = world.outputs()
    pull = world.hub().pull(int(outputs["pr-number"]))
    assert pull is not None
    assert "set aside" in pull.body
    status = world.hub().statuses(outputs["commit"])[0]
    assert status.state == "success"
    assert "evidence" in status.description
    world.forge.advance(7200)


def test_a_rollback_sets_its_hold_before_its_proposal_and_is_judged_as_a_rollback(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.seed_pin("prod", "1.1.0")
    assert run(world, mode="rollback", environment="prod", reason="orders are lost") == 0
    outputs = world.outputs()
    assert (outputs["reason"], outputs["version"]) == ("proposed", "1.0.0")
    pull = world.hub().pull(int(outputs["pr-number"]))
    assert pull is not None
    assert pull.head_ref == "stagegate/rollback/shop/prod"
    assert world.hub().statuses(pull.head_sha)[0].state == "success"
    assert "refs/heads/stagegate/hold/shop/prod" in world.hub().refs("refs/heads/stagegate/hold/")
    assert run(world, mode="evaluate") == 0
    assert world.outputs()["reason"] == "already-proposed"
    world.merge(pull.number)
    assert "v1.0.0" in world.pins("prod")
    world.passed("1.1.0")
    world.seed_pin("staging", "1.1.0")
    assert run(world, environment="prod") == 1
    assert world.outputs()["reason"] == "held-back"


def test_stagegate_merges_only_after_an_approval_of_that_head(tmp_path: Path, host: str) -> None:
    with shop(
        tmp_path, host, changes={"labels: [stagegate]": "labels: [stagegate], merge: stagegate"}
    ) as world:
        told = propose(world)
        number = int(told["pr-number"])
        assert world.hub().statuses(told["commit"])[0].state == "pending"
        assert run(world, mode="evaluate", environment="prod") == 0
        assert world.outputs()["reason"] == "awaiting-review"
        world.review(number, "octo-guest", "APPROVE")
        assert run(world, mode="evaluate") == 0
        assert world.outputs()["reason"] == "awaiting-review"
        world.review(number, "octo-dev", "APPROVE")
        assert run(world, mode="evaluate") == 0
        assert world.outputs()["reason"] == "merged"
        assert "v1.1.0" in world.pins("prod")
        assert world.hub().history("main", 1)[0].trailers["Stagegate-Version"] == "1.1.0"
        assert world.forge.events[-1].name == "workflow_dispatch"


def test_a_pin_moved_by_hand_to_a_release_without_evidence_is_reported(world: Shop) -> None:
    world.seed_pin("prod", "1.1.0")
    assert run(world, mode="evaluate") == 0
    assert [f["rule"] for f in world.report()["findings"]] == ["unproven-pin"]
    world.outputs()
    environ = world.environ(mode="evaluate") | {"GITHUB_EVENT_NAME": "push"}
    assert promote_pr(environ) == 1
    assert world.outputs()["reason"] == "no-evidence"
    world.passed("1.1.0")
    assert promote_pr(environ) == 0


@pytest.mark.parametrize("name", ["facts", "save_facts"])
def test_the_inputs_for_facts_are_refused_for_a_mark(world: Shop, name: str) -> None:
    calls = len(world.forge.calls)
    assert run(world, mode="hold", environment="prod", reason="moving", **{name: "facts.json"}) == 2
    assert world.outputs()["reason"] == "bad-input"
    assert len(world.forge.calls) == calls


def pushed(world: Shop) -> tuple[int, str, list[str]]:
    """What `evaluate` reports of a push to the default branch: exit code, reason, rules of its findings."""
    code = promote_pr(world.environ(mode="evaluate") | {"GITHUB_EVENT_NAME": "push"})
    return code, world.outputs()["reason"], [found["rule"] for found in world.report()["findings"]]


def test_a_pin_moved_to_a_banned_release_is_reported_everywhere(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.passed("1.1.0")
    world.passed("1.1.0", "prod")
    assert run(world, mode="ban", version="1.1.0", reason="it loses orders") == 0
    world.outputs()
    world.seed_pin("staging", "1.1.0")
    assert pushed(world) == (1, "banned-version", ["banned-pin"])
    world.seed_pin("prod", "1.1.0")
    assert pushed(world) == (1, "banned-version", ["banned-pin", "banned-pin"])
    assert run(world, mode="unban", version="1.1.0") == 0
    world.outputs()
    assert pushed(world)[:2] == (0, "no-difference")


def test_a_pin_moved_during_a_hold_is_reported_until_its_gate_has_a_verdict(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.passed("1.1.0")
    assert run(world, mode="hold", environment="prod", reason="the database moves") == 0
    world.outputs()
    assert pushed(world)[:2] == (0, "no-difference"), "the release that ran there before the hold may stay"
    world.forge.advance(60)
    world.seed_pin("prod", "1.1.0")
    assert pushed(world) == (1, "held-back", ["held-pin"])
    assert run(world, mode="unhold", environment="prod") == 0
    world.outputs()
    assert pushed(world)[:2] == (0, "no-difference")
    world.passed("1.1.0", "prod")
    world.forge.advance(60)
    assert run(world, mode="hold", environment="prod", reason="again") == 0
    world.outputs()
    world.seed_pin("prod", "1.1.0")
    assert pushed(world)[:2] == (0, "no-difference"), "it ran there before the hold"


def test_a_deleted_mark_is_reported(world: Shop) -> None:
    run(world, mode="hold", environment="prod", reason="moving")
    ref = "git/refs/heads/stagegate/hold/shop/prod"
    world.ask("DELETE", ref, world.forge.token("octo-dev"), {})
    world.forge.fail("GET", "/activity", None, 403)
    assert run(world, mode="evaluate", environment="staging") == 0
    assert [f["severity"] for f in world.report()["findings"] if f["rule"] == "mark-vanished"] == ["note"]
    world.forge.heal()
    assert run(world, mode="evaluate", environment="staging") == 0
    found = world.report()["findings"]
    assert [f["rule"] for f in found if f["rule"] == "mark-vanished"] == ["mark-vanished"]
    assert "octo-dev" in found[0]["message"]


@pytest.mark.parametrize("side", ["acme/shop", "acme/gitops"])
def test_pins_may_be_in_a_repository_of_their_own(world: Shop, side: str) -> None:
    world.split()
    world.passed("1.1.0")
    config = "stagegate.yaml" if side == "acme/shop" else "apps/shop/stagegate.yaml"

    def step(**inputs: str) -> tuple[int, dict[str, str]]:
        code = promote_pr(world.environ(config=config, **inputs) | {"GITHUB_REPOSITORY": side})
        return code, world.outputs()

    code, outputs = step(environment="staging", version="1.1.0")
    assert (code, outputs["reason"]) == (2, "missing-permission")
    tokens = {"pins_token": world.pins_token, "verify_workflow": "none"}
    code, outputs = step(environment="staging", version="1.1.0", **tokens)
    assert (code, outputs["reason"]) == (0, "committed")
    assert "v1.1.0" in world.gitops.read("main", "deploy/staging.yaml").decode()
    before = world.repo.head("main")
    code, outputs = step(environment="prod", **tokens)
    assert (code, outputs["reason"]) == (0, "proposed")
    assert "/acme/gitops/pull/" in outputs["pr-url"]
    assert world.repo.head("main") == before
    code, outputs = step(mode="hold", environment="prod", reason="moving", **tokens)
    assert (code, outputs["reason"]) == (0, "marked")
    assert world.hub().refs("refs/heads/stagegate/") == {}


def test_under_protected_trust_only_records_of_the_app_count(tmp_path: Path, host: str) -> None:
    with shop(tmp_path, host, more="trust: {level: protected, app: gatekeeper}\n") as world:
        app = world.forge.app("gatekeeper", RIGHTS)
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        key = {"app_id": str(app.id), "app_key": app.private_key}
        assert run(world, environment="prod", **key) == 0
        assert world.outputs()["reason"] == "no-difference"
        assert run(world, environment="prod", version="1.1.0", **key) == 1
        assert world.outputs()["reason"] == "no-evidence"
        world.passed("1.1.0", token=world.forge.token("gatekeeper", "app", repositories=["acme/shop"]))
        assert run(world, environment="prod") == 2
        assert world.outputs()["reason"] == "missing-permission"
        assert run(world, environment="prod", **key) == 0
        told = world.outputs()
        assert told["reason"] == "proposed"
        status = world.hub().statuses(told["commit"])[0]
        assert status.creator is not None
        assert status.creator.login == "gatekeeper[bot]"


def test_registry_credentials_go_to_no_host_that_only_a_branch_names(world: Shop) -> None:
    """The work tree names another host, and the policy on the default branch does not."""
    text = (world.folder / "stagegate.yaml").read_text()
    (world.folder / "stagegate.yaml").write_text(text.replace(world.host, "127.0.0.1:1"))
    assert run(world, environment="staging", version="1.1.0") == 0
    app = world.pins("staging").replace(f"{world.host}/acme/charts", "127.0.0.1:1/acme/charts")
    world.outputs()
    world.repo.seed({"deploy/staging.yaml": app})
    world.publish("1.2.0")
    assert run(world, environment="staging", version="1.2.0") == 2
    assert world.outputs()["reason"] in ("wrong-source", "ambiguous-pin")


@pytest.mark.parametrize("strategy", ["direct", "latest"])
def test_the_soak_is_computed_from_githubs_time(tmp_path: Path, host: str, strategy: str) -> None:
    change = {
        "promotion: {reviewers: [octo-lead], labels: [stagegate]}": f"promotion: {{strategy: {strategy}}}\n    soak: 1h"
    }
    with shop(tmp_path, host, changes=change) as world:
        world.forge.advance(86400)  # the runner's clock is a day behind
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        code = run(world, environment="prod")
        told = world.outputs()
        assert code == 0
        assert told["reason"] == ("soaking" if strategy == "direct" else "proposed")
        assert told["next-at"]
        if strategy == "direct":
            assert "v1.0.0" in world.pins("prod")
            assert run(world, environment="prod", fail_on_waiting="true") == 1
            world.outputs()
        else:
            assert world.hub().statuses(told["commit"])[0].state == "pending"
        world.forge.advance(3601)
        assert run(world, environment="prod", mode="promote" if strategy == "direct" else "evaluate") == 0
        after = world.outputs()
        assert after["reason"] == ("committed" if strategy == "direct" else "updated")
        if strategy == "latest":
            assert world.hub().statuses(told["commit"])[0].state == "success"


def test_a_protected_branch_is_reported_with_every_fix(
    world: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    world.forge.protect("acme/shop", require_pull_request=True)
    assert run(world, environment="staging", version="1.1.0") == 2
    assert world.outputs()["reason"] == "protected-branch"
    said = capsys.readouterr().out
    assert "bypass list" in said
    assert "merge: stagegate" in said


def test_a_release_of_images_alone_moves_a_pin_of_any_scalar(tmp_path: Path, host: str) -> None:
    """No chart: the release record is a deployment, the pin a tag in a values file, and nothing is rendered."""
    with shop(tmp_path, host) as world:
        text = world.repo.read("main", "stagegate.yaml").decode()
        chart = next(line for line in text.splitlines() if line.startswith("chart:"))
        text = text.replace(chart, "chart: none")
        for name in ("staging", "prod"):
            pin = f'{{file: deploy/{name}.json, path: image.tag, value: "v{{version}}"}}'
            text = text.replace(f"pins: [deploy/{name}.yaml]", f"pins: [{pin}]")
        (world.folder / "stagegate.yaml").write_text(text)
        pin = '{"image": {"tag": "v1.0.0"}}'
        world.repo.seed({"stagegate.yaml": text, "deploy/staging.json": pin, "deploy/prod.json": pin})
        record = {"version": "1.1.0", "images": {f"{host}/acme/shop": world.digests["1.1.0"]}}
        world.hub().create_deployment(
            world.commits["1.1.0"], "stagegate:shop:release", "release", record, "", False
        )
        assert run(world, environment="staging", version="1.1.0") == 0
        assert world.repo.read("main", "deploy/staging.json") == pin.replace("1.0.0", "1.1.0").encode()
        world.outputs()
        world.passed("1.1.0", chart=None)
        assert run(world, environment="prod") == 0
        told = world.outputs()
        assert told["reason"] == "proposed"
        assert "not rendered" in (world.folder / "summary.md").read_text()


def test_a_kustomization_is_built_for_the_difference(world: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = world.folder / "bin/kustomize"
    tool.parent.mkdir()
    tool.write_text(
        '#!/bin/sh\nprintf "apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: c}\\n"\ngrep newTag "$2"/kustomization.yaml | sed "s/.*newTag/data: {tag/;s/$/}/"\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    text = (
        (world.folder / "stagegate.yaml")
        .read_text()
        .replace("deploy/prod.yaml", "deploy/prod/kustomization.yaml")
    )
    image = f"{world.host}/acme/shop"
    pin = f"images:\n  - name: {image}\n    newTag: v1.0.0\n"
    world.repo.seed({"stagegate.yaml": text, "deploy/prod/kustomization.yaml": pin})
    world.seed_pin("staging", "1.1.0")
    for argv in (["init", "-q"], ["fetch", "-q", str(world.repo.store.path), "main"]):
        subprocess.run(["git", *argv], cwd=world.folder, check=True)
    world.passed("1.1.0")
    assert run(world, environment="prod") == 0
    pull = world.hub().pull(int(world.outputs()["pr-number"]))
    assert pull is not None
    assert "ConfigMap/c" in pull.body


def test_dry_run_and_local_write_nothing_on_github(world: Shop) -> None:
    calls = len(world.forge.calls)
    assert run(world, environment="staging", version="1.1.0", dry_run="true") == 0
    outputs = world.outputs()
    assert (outputs["reason"], outputs["changed"]) == ("planned", "false")
    assert json.loads(outputs["plan"])["edits"][0]["after"] == "1.1.0"
    assert not [c for c in world.forge.calls[calls:] if c.write]

    (world.folder / "deploy").mkdir()
    (world.folder / "deploy/staging.yaml").write_text(world.pins("staging"))
    calls = len(world.forge.calls)
    assert run(world, environment="staging", version="1.1.0", local="true", dry_run="true") == 0
    assert world.outputs()["reason"] == "planned"
    assert (world.folder / "deploy/staging.yaml").read_text() == world.pins("staging")
    assert run(world, environment="staging", version="1.1.0", local="true") == 0
    assert 'targetRevision: "1.1.0"' in (world.folder / "deploy/staging.yaml").read_text()
    assert len(world.forge.calls) == calls


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"environment": "prd", "version": "1.1.0"}, "bad-input"),
        ({"environment": "staging", "version": "v1.1.0"}, "bad-input"),
        ({"environment": "staging", "version": "9.9.9"}, "bad-input"),
        ({"environment": "prod", "mode": "rollback", "reason": "x"}, "no-evidence"),
        ({"environment": "prod", "mode": "hold"}, "bad-input"),
        ({"environment": "prod", "mode": "hold", "reason": "x", "until": "soon"}, "bad-input"),
        (
            {
                "environment": "prod",
                "mode": "override",
                "version": "1.1.0",
                "rules": "evidnce",
                "reason": "x",
            },
            "bad-input",
        ),
        ({"environment": "staging", "version": "1.1.0", "config": "nowhere.yaml"}, "missing-file"),
        ({"environment": "staging", "facts": "nowhere.json"}, "missing-file"),
    ],
)
def test_bad_input_is_refused_and_writes_nothing(
    world: Shop, capsys: pytest.CaptureFixture[str], inputs: dict[str, str], reason: str
) -> None:
    calls = len(world.forge.calls)
    assert run(world, **inputs) in (1, 2)
    errors = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::error")]
    assert len(errors) == 1
    assert not [c for c in world.forge.calls[calls:] if c.write]
    assert world.outputs()["reason"] == reason


def test_a_refused_promotion_lists_every_rule_with_its_state(
    world: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    world.publish("1.3.0-rc.1")
    assert run(world, environment="prod", version="1.3.0-rc.1") == 1
    error = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("::error"))
    for rule in ("evidence", "order", "prerelease"):
        assert f"{rule}: " in error
    summary = (world.folder / "summary.md").read_text()
    for rule in (
        "evidence",
        "order",
        "direction",
        "ban",
        "images",
        "prerelease",
        "hold",
        "freeze",
        "window",
        "soak",
        "risk",
    ):
        assert f"\n| {rule} | " in summary
    assert "advisory" in summary


def test_a_dry_run_of_a_rollback_lists_the_hold_first(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.seed_pin("prod", "1.1.0")
    assert run(world, mode="rollback", environment="prod", dry_run="true") == 0
    kinds = [(change["kind"], change["target"]) for change in world.report()["changes"]]
    assert kinds[0] == ("mark", "stagegate/hold/shop/prod")
    assert world.hub().refs("refs/heads/stagegate/") == {}


def test_a_proposal_is_a_draft_where_the_settings_require_it(tmp_path: Path, host: str) -> None:
    with shop(tmp_path, host, changes={"labels: [stagegate]": "labels: [stagegate], draft: true"}) as world:
        pull = world.hub().pull(int(propose(world)["pr-number"]))
        assert pull is not None
        assert pull.draft
        world.seed_pin("prod", "1.1.0")
        world.passed("1.0.0", "prod")
        assert run(world, mode="rollback", environment="prod") == 0
        back = world.hub().pull(int(world.outputs()["pr-number"]))
        assert back is not None
        assert not back.draft


@pytest.mark.parametrize("mode", ["promote", "rollback"])
def test_a_person_who_starts_a_promotion_by_hand_needs_the_permission_of_its_comment(
    tmp_path: Path, host: str, mode: str
) -> None:
    with shop(tmp_path, host, more="commands: {promote: admin, rollback: admin}\n") as world:
        world.passed("1.0.0", "prod")
        world.seed_pin("prod", "1.1.0" if mode == "rollback" else "1.0.0")
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")

        def step(event: str, actor: str) -> tuple[int, str]:
            environ = world.environ(environment="prod", mode=mode)
            environ |= {"GITHUB_EVENT_NAME": event, "GITHUB_ACTOR": actor}
            return promote_pr(environ), world.outputs()["reason"]

        assert step("workflow_dispatch", "octo-dev") == (1, "not-authorised")
        assert world.hub().refs("refs/heads/stagegate/") == {}
        assert step("workflow_dispatch", "octo-lead") == (0, "proposed")
        for event, actor in (("workflow_dispatch", "github-actions[bot]"), ("push", "octo-dev")):
            # A bot may dispatch a promotion, which obeys the rules anyway, but no rollback.
            refused = mode == "rollback" and event == "workflow_dispatch"
            assert step(event, actor) == ((1, "not-authorised") if refused else (0, "already-proposed"))
        for event in ("issues", "pull_request_target", "repository_dispatch", "release"):
            assert step(event, "octo-dev") == (1, "not-authorised"), event


def test_a_bot_that_policy_names_may_roll_back(tmp_path: Path, host: str) -> None:
    with shop(tmp_path, host, more='commands: {bots: ["github-actions[bot]"]}\n') as world:
        world.passed("1.0.0", "prod")
        world.seed_pin("prod", "1.1.0")
        for actor, reason in (("renovate[bot]", "not-authorised"), ("github-actions[bot]", "proposed")):
            environ = world.environ(environment="prod", mode="rollback")
            environ |= {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_ACTOR": actor}
            promote_pr(environ)
            assert world.outputs()["reason"] == reason


def test_a_person_who_repeats_the_run_of_a_push_needs_permission_too(tmp_path: Path, host: str) -> None:
    with shop(tmp_path, host, more="commands: {promote: admin}\n") as world:
        world.seed_pin("staging", "1.1.0")
        world.passed("1.1.0")
        environ = world.environ(environment="prod")
        environ |= {
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_ACTOR": "octo-lead",
            "GITHUB_TRIGGERING_ACTOR": "octo-dev",
        }
        promote_pr(environ)
        assert world.outputs()["reason"] == "not-authorised"
