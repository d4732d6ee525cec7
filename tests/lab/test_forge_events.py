"""Which events GitHub would send, which of them GITHUB_TOKEN swallows, and the runs they name."""

from __future__ import annotations

import threading

from tests.lab.forge_kit import Kit


def test_github_token_swallows_all_but_dispatches(kit: Kit) -> None:
    token = kit.actions(
        contents="write",
        pull_requests="write",
        statuses="write",
        deployments="write",
        actions="write",
        issues="write",
    )
    head = kit.shop.head("main")
    kit.rest("POST", "git/refs", token, {"ref": "refs/heads/topic", "sha": head})
    kit.commit("topic", token, {"a": "b"})
    kit.rest("POST", "pulls", token, {"title": "t", "head": "topic", "base": "main"})
    kit.rest("POST", "issues/1/comments", token, {"body": "hello"})
    kit.rest("POST", f"statuses/{head}", token, {"state": "success"})
    sent = {"ref": "main", "required_contexts": [], "environment": "staging"}
    number = kit.rest("POST", "deployments", token, sent).json()["id"]
    kit.rest("POST", f"deployments/{number}/statuses", token, {"state": "success"})
    kit.rest("POST", "releases", token, {"tag_name": "v1.0.0"})
    kit.rest("PUT", "pulls/1/merge", token, {})
    inputs = {"ref": "main", "inputs": {"version": "1.1.0"}}
    assert kit.rest("POST", "actions/workflows/promote.yml/dispatches", token, inputs).status_code == 204
    told: dict[str, object] = {"event_type": "stagegate-release", "client_payload": {"app": "shop"}}
    assert kit.rest("POST", "dispatches", token, told).status_code == 204
    started = [event.name for event in kit.forge.events if not event.swallowed]
    swallowed = {event.name for event in kit.forge.events if event.swallowed}
    assert started == ["workflow_dispatch", "repository_dispatch"]
    assert swallowed == {
        "create", "push", "pull_request", "issue_comment", "status", "deployment", "deployment_status", "release",
    }  # fmt: skip
    dispatch, release = kit.forge.events[-2:]
    assert (
        dispatch.payload["workflow"] == ".github/workflows/promote.yml" and dispatch.ref == "refs/heads/main"
    )
    assert dispatch.payload["inputs"] == {"version": "1.1.0", "colour": "red"}
    assert (release.action, release.payload["client_payload"]) == ("stagegate-release", {"app": "shop"})


def test_people_and_apps_start_workflows(kit: Kit) -> None:
    kit.forge.app("acme-stagegate", {"contents": "write"})
    kit.commit("main", kit.forge.token("acme-stagegate", "app"), {"deploy/prod.yaml": "version: 2\n"})
    (event,) = kit.forge.events
    assert (event.name, event.swallowed, event.actor) == ("push", False, "acme-stagegate[bot]")
    assert event.paths == ("deploy/prod.yaml",) and event.payload["installation"]
    commits = event.payload["commits"]
    assert isinstance(commits, list) and commits[0]["modified"] == ["deploy/prod.yaml"]


def test_skip_ci_in_the_head_commit_starts_no_workflow(kit: Kit) -> None:
    kit.commit("main", kit.dev, {"a": "b"}, headline="chore: notes [skip ci]")
    (event,) = kit.forge.events
    assert event.swallowed and "[skip ci]" in event.reason


def test_a_deletion_is_an_activity_and_an_event(kit: Kit) -> None:
    kit.branch("stagegate-hold")
    assert kit.rest("DELETE", "git/refs/heads/stagegate-hold", kit.lead).status_code == 204
    (event,) = kit.events("delete")
    assert event.payload["ref"] == "stagegate-hold"
    lines = kit.rest("GET", "activity?ref=refs/heads/stagegate-hold", kit.dev).json()
    assert [(one["activity_type"], one["actor"]["login"]) for one in lines] == [
        ("branch_deletion", "octo-lead"), ("push", "octo-dev"), ("branch_creation", "octo-dev"),
    ]  # fmt: skip


def test_a_run_has_the_state_that_the_lab_registered(kit: Kit) -> None:
    head = kit.shop.head("main")
    number = kit.forge.run_started(
        "acme/shop", "release.yml", "push", "refs/heads/main", head, "octo-dev", attempt=2
    )
    run = kit.rest("GET", f"actions/runs/{number}", kit.actions(actions="read")).json()
    assert (run["status"], run["conclusion"], run["run_attempt"], run["head_sha"]) == (
        "in_progress",
        None,
        2,
        head,
    )
    kit.forge.run_finished(number, "failure")
    run = kit.rest("GET", f"actions/runs/{number}", kit.dev).json()
    assert (run["status"], run["conclusion"]) == ("completed", "failure")
    (event,) = kit.events("workflow_run")
    assert (event.action, event.swallowed, event.run) == ("completed", False, number)
    body = {"ref": "main", "inputs": {"version": "1"}, "return_run_details": True}
    made = kit.rest("POST", "actions/workflows/promote.yml/dispatches", kit.dev, body)
    assert made.status_code == 200
    assert kit.events("workflow_dispatch")[0].run == made.json()["workflow_run_id"]
    assert kit.rest("GET", "actions/runs/1", kit.dev).status_code == 404


def test_next_event_waits_for_one(kit: Kit) -> None:
    assert kit.forge.next_event(0.01) is None
    later = threading.Timer(0.05, kit.commit, ("main", kit.dev, {"a": "b"}))
    later.start()
    event = kit.forge.next_event(10)
    later.join()
    assert event is not None and event.name == "push"
    assert kit.forge.next_event(0) is None and kit.forge.drain_events() == []


def test_the_defaults_of_a_deployment_are_those_of_github(kit: Kit) -> None:
    head = kit.shop.head("main")
    kit.rest("POST", f"statuses/{head}", kit.dev, {"state": "pending", "context": "ci"})
    refused = kit.rest("POST", "deployments", kit.dev, {"ref": "main", "environment": "staging"})
    assert refused.status_code == 409 and refused.json()["errors"][0]["contexts"] == [
        {"context": "ci", "state": "pending"}
    ]
    body: dict[str, object] = {"ref": "main", "environment": "staging", "required_contexts": []}
    numbers = [kit.rest("POST", "deployments", kit.dev, body).json()["id"] for _ in range(3)]

    def newest(sent: dict[str, object], number: int) -> list[str]:
        """The newest state of all three after one more success."""
        kit.rest("POST", f"deployments/{number}/statuses", kit.dev, {"state": "success"} | sent)
        listed = [kit.rest("GET", f"deployments/{one}/statuses").json() for one in numbers]
        return [one[0]["state"] if one else "" for one in listed]

    assert newest({}, numbers[0]) == ["success", "", ""]
    assert newest({"auto_inactive": False}, numbers[1]) == ["success", "success", ""]
    assert newest({}, numbers[2]) == ["inactive", "inactive", "success"]
    sent = {"state": "success", "description": "x" * 141}
    long = kit.rest("POST", f"deployments/{numbers[0]}/statuses", kit.dev, sent)
    assert long.status_code == 422 and "maximum is 140" in long.text
    made = kit.rest("POST", "deployments", kit.dev, {"ref": head, "required_contexts": []}).json()
    assert made["production_environment"] and made["environment"] == "production" and made["payload"] == {}
    kit.branch("old")
    kit.shop.seed({"VERSION": "2\n"})
    merged = kit.rest("POST", "deployments", kit.dev, {"ref": "old", "required_contexts": []})
    assert merged.status_code == 202 and kit.shop.read("old", "VERSION") == b"2\n"
    stuck = kit.rest("POST", "deployments", kit.dev, {"ref": head, "required_contexts": []})
    assert stuck.status_code == 409
