"""GitHub's lengths and limits: the forge refuses what GitHub refuses, in GitHub's words."""

from __future__ import annotations

import pytest

from tests.lab.forge_kit import Kit


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("context", "c" * 256, "context is too long"),
        ("target_url", "ftp://x", "target_url must use http(s) scheme"),
        ("description", "d" * 141, "description is too long"),
    ],
)
def test_a_status_beyond_githubs_limits_is_refused(kit: Kit, field: str, value: str, words: str) -> None:
    answer = kit.rest(
        "POST", f"statuses/{kit.shop.head('main')}", kit.dev, {"state": "success", field: value}
    )
    assert answer.status_code == 422 and words in answer.text


def test_labels_and_titles_beyond_githubs_limits_are_refused(kit: Kit) -> None:
    number = kit.rest("POST", "issues", kit.dev, {"title": "t"}).json()["number"]
    long = kit.rest("POST", f"issues/{number}/labels", kit.dev, {"labels": ["x" * 51]})
    assert long.status_code == 422 and "maximum is 50 characters" in long.text
    assert kit.rest("POST", f"issues/{number}/labels", kit.dev, {"labels": ["x" * 50]}).status_code == 200


def test_all_matching_refs_come_at_once(kit: Kit) -> None:
    for name in ("t1", "t2"):
        sha = kit.shop.head("main")
        assert (
            kit.rest("POST", "git/refs", kit.dev, {"ref": f"refs/heads/{name}", "sha": sha}).status_code
            == 201
        )
    assert len(kit.rest("GET", "git/matching-refs/heads/t?per_page=1", kit.dev).json()) == 2


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("rate-limit", "RATE_LIMIT"),
        ("secondary", "secondary rate limit"),
        ("resource-limit", "RESOURCE_LIMITS"),
    ],
)
def test_graphql_reports_limits_with_200(kit: Kit, how: str, words: str) -> None:
    kit.forge.fail("POST", "/graphql", 1, how)
    answer = kit.rest("POST", "/graphql", kit.dev, {"query": "{ viewer { login } }"})
    assert answer.status_code == 200 and words in answer.text


def test_a_bot_is_no_collaborator(kit: Kit) -> None:
    answer = kit.rest("GET", "collaborators/github-actions[bot]/permission", kit.dev)
    assert answer.json()["permission"] == "none"


def test_eighty_requests_a_minute_may_create_content(kit: Kit) -> None:
    kit.forge.limit_content(per_minute=3)
    kit.rest("POST", "issues", kit.dev, {"title": "t"})
    codes = [kit.rest("POST", "issues/1/comments", kit.dev, {"body": "b"}).status_code for _ in range(3)]
    assert codes == [201, 201, 403]
    assert "secondary rate limit" in str(kit.commit("main", kit.dev, {"a": "b"})), "mutations count too"
    assert kit.rest("GET", "issues/1", kit.dev).status_code == 200
    assert kit.rest("POST", "issues/1/comments", kit.lead, {"body": "b"}).status_code == 201, (
        "for each person"
    )
    kit.forge.advance(61)
    assert kit.rest("POST", "issues/1/comments", kit.dev, {"body": "b"}).status_code == 201


def test_reads_may_lag_behind_writes(kit: Kit) -> None:
    kit.forge.lag(reads=2)
    kit.rest("POST", "issues", kit.dev, {"title": "t"})
    codes = [kit.rest("GET", "issues/1", kit.dev).status_code for _ in range(3)]
    assert codes == [404, 404, 200]
    kit.commit("main", kit.dev, {"a": "b"})
    sent = {"state": "success"}
    answers = [kit.rest("POST", f"statuses/{kit.shop.head('main')}", kit.dev, sent) for _ in range(3)]
    assert [one.status_code for one in answers] == [422, 422, 201]
    assert "No commit found for SHA" in answers[0].text
