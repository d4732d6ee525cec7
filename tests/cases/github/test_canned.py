"""GitHub limits requests, omits objects and leaves fields empty: the hub waits, reads again or reports it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from stagegate.clients.hub import Hub
from stagegate.errors import Stop
from tests.cases.github.canned import Response, make


def reply(status: int, body: Any) -> Response:
    return status, {}, body


HEAD = reply(200, {"data": {"repository": {"r0": {"target": {"oid": "a" * 40}}}}})
MADE = reply(200, {"data": {"result": {"commit": {"oid": "b" * 40}}}})
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
PRIMARY = "API rate limit already exceeded for installation ID 1."
CALLS: Mapping[str, tuple[Any, Callable[[Hub], object]]] = {
    "query": (HEAD, lambda hub: hub.head("main")),
    "mutation": (MADE, lambda hub: hub.create_commit("main", "a" * 40, "h", "", {"a": b"x"})),
}
SPENT = {"X-RateLimit-Remaining": "0"}
LIMITS: Mapping[str, tuple[int, dict[str, str], Any, float]] = {
    "primary, new type": (200, SPENT, {"errors": [{"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": PRIMARY}]}, 20),
    "primary, old type": (200, SPENT, {"errors": [{"type": "RATE_LIMITED", "message": PRIMARY}]}, 20),
    "primary, only a header": (200, SPENT, {"data": None, "errors": [{"message": "Try later"}]}, 20),
    "secondary by 200": (200, {"Retry-After": "2"}, {"errors": [{"message": SECONDARY}]}, 2),
    "secondary by 200, as REST": (200, {}, {"message": SECONDARY, "documentation_url": "https://docs.github.com"}, 60),
    "secondary by 403": (403, {}, {"message": SECONDARY}, 60),
    "secondary by 429": (429, {"Retry-After": "7"}, {"message": "slow down"}, 7),
    "secondary with nonsense": (403, {"Retry-After": "nan"}, {"message": SECONDARY}, 60),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_waited_for(limit: str, call: str) -> None:
    status, headers, body, seconds = LIMITS[limit]
    reset = {"X-RateLimit-Reset": str(int(time.time()) + 20)} if headers == SPENT else {}
    after, act = CALLS[call]
    hub, log = make([(status, {**headers, **reset}, body), after])
    act(hub)
    assert log["slept"] == [pytest.approx(seconds, abs=1.5)]


def test_a_limit_that_lasts_is_named_with_its_time() -> None:
    reset = {**SPENT, "X-RateLimit-Reset": str(int(time.time()) + 1800)}
    hub, log = make((200, reset, {"errors": [{"type": "RATE_LIMIT", "message": PRIMARY}]}))
    with pytest.raises(Stop) as caught:
        hub.head("main")
    assert (caught.value.reason, caught.value.verdict.exit_code, log["slept"]) == ("rate-limited", 3, [])


def test_a_missing_permission_is_not_taken_for_a_limit() -> None:
    hub, log = make((403, SPENT, {"message": "Resource not accessible by integration"}))
    with pytest.raises(Stop) as caught:
        hub.statuses("a" * 40)
    assert (caught.value.reason, log["slept"]) == ("missing-permission", [])


def test_a_message_about_limits_in_a_result_is_a_result() -> None:
    commit = {"sha": "a" * 40, "commit": {"message": "Respect the rate limit"}, "parents": [], "errors": []}
    hub, log = make(reply(200, commit))
    found = hub.commit_info("a" * 40)
    assert found is not None
    assert log["slept"] == []


TOO_MUCH = reply(200, {"data": {"repository": None}, "errors": [
    {"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["repository"], "message": "Resource limits for this query exceeded."}]})  # fmt: skip
MARKS = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}


def test_a_query_that_is_too_large_is_sent_in_parts() -> None:
    hub, log = make([TOO_MUCH, reply(200, {"data": {"repository": {"refs": MARKS}}})])
    assert hub.ref_files("refs/heads/stagegate/hold", "mark.json") == {}
    assert [body["variables"]["first"] for _, _, body in log["asked"]] == [100, 25]
    hub, _ = make(TOO_MUCH)
    with pytest.raises(Stop) as caught:
        hub.ref_files("refs/heads/stagegate/hold", "mark.json")
    assert caught.value.reason == "server-error"


@pytest.mark.parametrize("payload", [None, {"commit": None}])
def test_a_commit_mutation_without_a_result_is_uncertain(payload: object) -> None:
    hub, log = make([reply(200, {"data": {"result": payload}}), HEAD, MADE])
    assert hub.create_commit("main", "a" * 40, "h", "", {"a": b"x"}) == "b" * 40
    assert len(log["asked"]) == 3  # it looked at the branch in between


def _deployment(number: int) -> dict[str, object]:
    return {"id": number, "node_id": f"D_{number}", "sha": "a" * 40, "task": "t", "environment": "prod",
            "created_at": "2026-01-01T00:00:00Z"}  # fmt: skip


def _status(number: int) -> dict[str, object]:
    return {"id": f"S_{number}", "state": "SUCCESS", "createdAt": f"2026-01-01T00:{number:02}:00Z",
            "description": str(number)}  # fmt: skip


def test_a_deployment_deleted_since_it_was_listed_is_left_out() -> None:
    error = {
        "type": "NOT_FOUND",
        "path": ["d1"],
        "message": "Could not resolve to a node with the global id of 'D_2'",
    }
    nodes: dict[str, Any] = {"d0": {"latestStatus": None, "statuses": {"nodes": []}}, "d1": None}
    listed = reply(200, [_deployment(1), _deployment(2)])
    hub, _ = make([listed, reply(200, {"data": nodes, "errors": [error]})])
    assert [one.id for one in hub.deployments("t")] == [1]
    hub, _ = make([listed, reply(200, {"data": nodes})])
    with pytest.raises(Stop) as caught:  # empty without a reason is unknown, never absent
        hub.deployments("t")
    assert caught.value.reason == "unknown-state"


@pytest.mark.parametrize("order", [lambda s: s, lambda s: s[::-1], lambda s: s[5:] + s[:5]])
def test_the_latest_of_many_statuses_comes_first(order: Callable[[list[Any]], list[Any]]) -> None:
    listed = order([_status(number) for number in range(30)])
    node = {"latestStatus": _status(31), "statuses": {"nodes": listed}}
    hub, _ = make([reply(200, [_deployment(1)]), reply(200, {"data": {"d0": node}})])
    (found,) = hub.deployments("t")
    assert [status.description for status in found.statuses] == ["31", *map(str, range(29, -1, -1))]


def test_null_texts_of_git_are_read_as_empty() -> None:
    tag = {"target": {"oid": "c" * 40, "message": None, "target": {"oid": "a" * 40}}}
    hub, _ = make(reply(200, {"data": {"repository": {"ref": tag}}}))
    read = hub.tag("v1.0.0")
    assert read is not None
    assert (read.message, read.annotated) == ("", True)
    tip = {"oid": "a" * 40, "committedDate": "2026-01-01T00:00:00Z", "author": {"email": None, "user": None},
           "signature": {"isValid": True, "wasSignedByGitHub": True}, "file": None}  # fmt: skip
    nodes = [{"prefix": "refs/heads/stagegate/hold/", "name": "shop", "target": tip}]
    hub, _ = make(reply(200, {"data": {"repository": {"refs": {**MARKS, "nodes": nodes}}}}))
    (mark,) = hub.ref_files("refs/heads/stagegate/hold", "mark.json").values()
    assert mark.author is None


PULL = {"number": 7, "node_id": "PR_7", "html_url": "u", "title": "t", "state": "open", "base": {"ref": "main", "sha": "0" * 40},
        "head": {"ref": "x", "sha": "a" * 40}}  # fmt: skip
REFUSED = reply(405, {"message": "Pull Request is not mergeable"})


def test_a_merge_waits_until_github_has_computed_the_mergeability() -> None:
    computing = reply(200, {**PULL, "mergeable": None})
    hub, log = make([REFUSED, computing, REFUSED, computing, reply(200, {"sha": "d" * 40})])
    assert hub.merge(7, "a" * 40, "squash", "t", "m") == "d" * 40
    assert len(log["slept"]) == 2
    hub, log = make([REFUSED, reply(200, {**PULL, "mergeable": False})])
    with pytest.raises(Stop) as caught:
        hub.merge(7, "a" * 40, "squash", "t", "m")
    assert (caught.value.reason, log["slept"]) == ("protected-branch", [])


def test_a_commit_pushed_to_a_fork_is_found_after_a_delay() -> None:
    unseen = reply(422, {"message": f"No commit found for SHA: {'a' * 40}"})
    hub, log = make([unseen, unseen, reply(200, [])])
    assert hub.statuses("a" * 40) == []
    assert len(log["slept"]) == 2
    hub, _ = make(unseen)
    with pytest.raises(Stop):
        hub.statuses("a" * 40)


@pytest.mark.parametrize(
    "answer",
    [
        reply(404, {"message": "Not Found"}),
        reply(200, {"errors": [{"message": "Field 'updateRefs' doesn't exist on type 'Mutation'"}]}),
    ],
)
def test_a_server_without_the_api_is_named_with_the_version_it_needs(answer: Any) -> None:
    hub, _ = make(answer)
    with pytest.raises(Stop) as caught:
        hub.head("main")
    assert "GitHub Enterprise Server 3.16" in caught.value.next
