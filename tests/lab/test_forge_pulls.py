"""The life of a pull request: mergeable null first, policy, merging in three ways, auto-merge, the queue."""

from __future__ import annotations

import pytest

from tests.lab.forge_kit import UPDATE, Kit, dig, error

ENABLE = "mutation E($i: EnablePullRequestAutoMergeInput!) { enablePullRequestAutoMerge(input: $i) { actor { login } } }"
DISABLE = "mutation D($i: DisablePullRequestAutoMergeInput!) { disablePullRequestAutoMerge(input: $i) { actor { login } } }"
DISMISS = "mutation D($i: DismissPullRequestReviewInput!) { dismissPullRequestReview(input: $i) { pullRequestReview { state } } }"
ENQUEUE = "mutation Q($i: EnqueuePullRequestInput!) { enqueuePullRequest(input: $i) { clientMutationId } }"


def green(kit: Kit, sha: str, token: str = "", context: str = "stagegate/pins") -> None:
    """A success on a commit."""
    made = kit.rest("POST", f"statuses/{sha}", token or kit.dev, {"state": "success", "context": context})
    assert made.status_code == 201, made.text


def node(kit: Kit, number: int) -> str:
    """The global id of a pull request."""
    return str(dig(kit.ask(f"pullRequest(number: {number}) {{ id }}"), "pullRequest")["id"])


def test_mergeable_is_null_until_computed_for_each_head_and_base(kit: Kit) -> None:
    number = kit.pull("topic", {"VERSION": "1.1.0\n"})
    seen = [kit.rest("GET", f"pulls/{number}").json() for _ in range(3)]
    assert [one["mergeable"] for one in seen] == [None, True, True]
    kit.shop.seed({"VERSION": "9.0.0\n"}, "Other version")
    seen = [kit.rest("GET", f"pulls/{number}").json() for _ in range(2)]
    assert [(one["mergeable"], one["mergeable_state"]) for one in seen] == [
        (None, "unknown"),
        (False, "dirty"),
    ]
    answer = kit.rest("PUT", f"pulls/{number}/merge", kit.dev, {"sha": kit.shop.head("topic")})
    assert answer.status_code == 405 and answer.json()["message"] == "Pull Request is not mergeable"


@pytest.mark.parametrize(
    ("method", "parents", "headline"),
    [("merge", 2, "Promote shop 1.1.0"), ("squash", 1, "Promote shop 1.1.0"), ("rebase", 1, "Change")],
)
def test_each_merge_method_makes_its_commit(kit: Kit, method: str, parents: int, headline: str) -> None:
    number = kit.pull("topic", {"VERSION": "1.1.0\n"})
    kit.shop.seed({"other.txt": "x"}, "Something else")
    body = {
        "merge_method": method, "sha": kit.shop.head("topic"), "commit_title": "Promote shop 1.1.0",
        "commit_message": "Stagegate-App: shop",
    }  # fmt: skip
    kit.forge.drain_events()
    answer = kit.rest("PUT", f"pulls/{number}/merge", kit.dev, body)
    assert answer.status_code == 200 and answer.json()["merged"], answer.text
    commit = kit.shop.log("main")[0]
    assert (commit.sha, len(commit.parents), commit.headline) == (answer.json()["sha"], parents, headline)
    assert kit.shop.read("main", "VERSION") == b"1.1.0\n" and kit.shop.read("main", "other.txt") == b"x"
    assert kit.fresh() == [("push", None, False), ("pull_request", "closed", False)]
    assert kit.rest("GET", f"pulls/{number}/merge").status_code == 204
    assert kit.rest("PUT", f"pulls/{number}/merge", kit.dev, {}).status_code == 405
    got = dig(
        kit.ask(f"pullRequest(number: {number}) {{ state mergeCommit {{ oid }} mergedBy {{ login }} }}"),
        "pullRequest",
    )
    assert got == {"state": "MERGED", "mergeCommit": {"oid": commit.sha}, "mergedBy": {"login": "octo-dev"}}


def test_a_merge_against_policy_is_405_with_a_message(kit: Kit) -> None:
    app = kit.forge.app(
        "acme-stagegate", {"statuses": "write", "contents": "write", "pull_requests": "write"}
    )
    kit.forge.protect(
        "acme/shop", require_pull_request=True, approvals=1, required_statuses=[("stagegate/pins", app.id)]
    )
    number = kit.pull("topic")
    head, merge = kit.shop.head("topic"), f"pulls/{number}/merge"
    seen = [kit.rest("GET", f"pulls/{number}").json()["mergeable_state"] for _ in range(2)]
    assert seen == ["unknown", "blocked"]

    def refused() -> str:
        answer = kit.rest("PUT", merge, kit.dev, {"sha": head})
        assert answer.status_code == 405
        return str(answer.json()["message"])

    assert 'Required status check "stagegate/pins" is expected.' in refused()
    green(kit, head, kit.dev)
    assert 'Required status check "stagegate/pins" is expected.' in refused(), (
        "a forged status does not count"
    )
    green(kit, head, kit.forge.token("acme-stagegate", "app"))
    assert "At least 1 approving review is required by reviewers with write access." in refused()
    assert kit.rest("POST", f"pulls/{number}/reviews", kit.reader, {"event": "APPROVE"}).status_code == 200
    assert "At least 1 approving review" in refused(), "a reader's approval does not count"
    review = kit.approve(number)
    dismissed = kit.graphql(
        DISMISS, kit.dev, i={"pullRequestReviewId": f"PRR_{review}", "message": "newer version"}
    )
    assert dig(dismissed, "data", "dismissPullRequestReview", "pullRequestReview") == {"state": "DISMISSED"}
    assert "At least 1 approving review" in refused()
    kit.approve(number)
    assert kit.rest("PUT", merge, kit.dev, {"sha": head}).status_code == 200


def test_a_review_counts_for_the_head_it_was_given_on(kit: Kit) -> None:
    kit.forge.protect("acme/shop", require_pull_request=True, approvals=1, dismiss_stale=True)
    number = kit.pull("topic")
    first = kit.shop.head("topic")
    kit.approve(number)
    kit.commit("topic", kit.dev, {"more": "x"})
    fields = "nodes { state commit { oid } author { login } authorCanPushToRepository submittedAt }"
    got = dig(
        kit.ask(f"pullRequest(number: {number}) {{ headRefOid reviews(first: 5) {{ {fields} }} }}"),
        "pullRequest",
    )
    review = dig(got, "reviews", "nodes", 0)
    assert (review["state"], review["commit"], review["authorCanPushToRepository"]) == (
        "DISMISSED",
        {"oid": first},
        True,
    )
    assert got["headRefOid"] == kit.shop.head("topic") != first


def test_a_branch_that_equals_its_base_for_a_moment_closes_its_pull_request(kit: Kit) -> None:
    number = kit.pull("topic")
    sent = {"sha": kit.shop.head("main"), "force": True}
    assert kit.rest("PATCH", "git/refs/heads/topic", kit.dev, sent).status_code == 200
    got = kit.rest("GET", f"pulls/{number}").json()
    assert (got["state"], got["merged"]) == ("closed", False)
    reopen = kit.rest("PATCH", f"pulls/{number}", kit.dev, {"state": "open"})
    assert reopen.status_code == 422 and "no new commits" in reopen.text


def test_update_refs_replaces_a_proposal_without_closing_it(kit: Kit) -> None:
    number = kit.pull("promote", {"VERSION": "1.1.0\n"})
    before = kit.shop.head("promote")
    kit.branch("next", {"VERSION": "1.2.0\n"})
    after = kit.shop.head("next")
    moves = [
        {"name": "refs/heads/promote", "beforeOid": before, "afterOid": after, "force": True},
        {"name": "refs/heads/next", "beforeOid": after, "afterOid": "0" * 40},
    ]
    assert "errors" not in kit.graphql(
        UPDATE, kit.dev, i={"repositoryId": kit.ask("id")["id"], "refUpdates": moves}
    )
    got = kit.rest("GET", f"pulls/{number}").json()
    assert (got["state"], got["head"]["sha"], got["commits"]) == ("open", after, 1)
    assert kit.events("pull_request")[-1].payload["before"] == before


def test_a_base_that_contains_the_head_merges_it(kit: Kit) -> None:
    number = kit.pull("topic")
    assert (
        kit.rest("PATCH", "git/refs/heads/main", kit.dev, {"sha": kit.shop.head("topic")}).status_code == 200
    )
    assert kit.rest("GET", f"pulls/{number}").json()["merged"]


def test_auto_merge_waits_for_the_rules_and_then_merges(kit: Kit) -> None:
    kit.forge.protect("acme/shop", require_pull_request=True, required_statuses=[("stagegate/pins", None)])
    number = kit.pull("topic")
    wish = {"pullRequestId": node(kit, number), "mergeMethod": "SQUASH", "commitHeadline": "Promote"}
    token = kit.actions(pull_requests="write", contents="write")
    assert "errors" not in kit.graphql(ENABLE, token, i=wish)
    fields = "autoMergeRequest { mergeMethod enabledBy { login } }"
    got = dig(kit.ask(f"pullRequest(number: {number}) {{ {fields} }}"), "pullRequest")
    assert got["autoMergeRequest"] == {"mergeMethod": "SQUASH", "enabledBy": {"login": "github-actions"}}
    assert "errors" not in kit.graphql(DISABLE, token, i={"pullRequestId": wish["pullRequestId"]})
    assert "errors" not in kit.graphql(ENABLE, token, i=wish)
    kit.forge.drain_events()
    green(kit, kit.shop.head("topic"))
    assert kit.rest("GET", f"pulls/{number}").json()["merged"]
    # Enabled with GITHUB_TOKEN, so the merge starts nothing.
    assert kit.fresh() == [("status", None, False), ("push", None, True), ("pull_request", "closed", True)]
    assert kit.shop.log("main")[0].headline == "Promote"


def test_auto_merge_is_refused_when_clean_or_not_allowed(kit: Kit) -> None:
    number = kit.pull("topic")
    wish = {"pullRequestId": node(kit, number)}
    assert "clean status" in str(error(kit.graphql(ENABLE, kit.dev, i=wish))["message"])
    kit.forge.settings("acme/shop", allow_auto_merge=False)
    assert "not allowed" in str(error(kit.graphql(ENABLE, kit.dev, i=wish))["message"])


def test_the_merge_queue_checks_its_own_commit(kit: Kit) -> None:
    kit.forge.protect(
        "acme/shop", require_pull_request=True, required_statuses=[("stagegate/pins", None)], merge_queue=True
    )
    number = kit.pull("topic")
    green(kit, kit.shop.head("topic"))
    direct = kit.rest("PUT", f"pulls/{number}/merge", kit.dev, {})
    assert direct.status_code == 405 and "merge queue" in direct.text
    assert "errors" not in kit.graphql(ENQUEUE, kit.dev, i={"pullRequestId": node(kit, number)})
    (event,) = kit.events("merge_group")
    assert event.action == "checks_requested" and event.ref.startswith(
        "refs/heads/gh-readonly-queue/main/pr-1-"
    )
    assert not kit.rest("GET", f"pulls/{number}").json()["merged"]
    green(kit, event.sha)
    assert kit.shop.head("main") == event.sha and kit.rest("GET", f"pulls/{number}").json()["merged"]


def test_a_pull_request_from_a_fork_is_opened_and_merged(kit: Kit) -> None:
    fork = kit.forge.fork("acme/shop", "octo-reader")
    fork.seed({"VERSION": "6.6.6\n"}, "Please", branch="evil")
    sent = {"title": "t", "head": "octo-reader:evil", "base": "main"}
    made = kit.rest("POST", "pulls", kit.reader, sent)
    assert made.status_code == 201, made.text
    assert (
        made.json()["head"]["repo"]["full_name"] == "octo-reader/shop"
        and made.json()["user"]["login"] == "octo-reader"
    )
    files = kit.rest("GET", f"pulls/{made.json()['number']}/files").json()
    assert [(one["filename"], one["status"]) for one in files] == [("VERSION", "modified")]


def test_drafts_labels_and_lists_are_kept(kit: Kit) -> None:
    number = kit.pull("topic")
    kit.branch("other")
    draft = {"title": "d", "head": "other", "base": "main", "draft": True}
    assert kit.rest("POST", "pulls", kit.dev, draft).json()["draft"]
    assert kit.rest("PUT", "pulls/2/merge", kit.dev, {}).json()["message"] == "Pull Request is still a draft"
    added = kit.rest("POST", f"issues/{number}/labels", kit.dev, {"labels": ["stagegate", "new one"]})
    assert [one["name"] for one in added.json()] == ["stagegate", "new one"]
    assert kit.rest("DELETE", f"issues/{number}/labels/new%20one", kit.dev).status_code == 200
    actions = [event.action for event in kit.events("pull_request") if event.payload["number"] == number]
    assert actions == ["opened", "labeled", "labeled", "unlabeled"]
    for query, wanted in (
        ("head=acme:topic", [1]), ("head=acme:no", []), ("base=main&sort=created&direction=asc", [1, 2]),
        ("state=closed", []), ("base=other", []),
    ):  # fmt: skip
        assert [one["number"] for one in kit.rest("GET", f"pulls?{query}").json()] == wanted, query
    ask = 'pullRequests(states: [OPEN], headRefName: "topic", baseRefName: "main", first: 1) { nodes { number } }'
    assert dig(kit.ask(ask), "pullRequests")["nodes"] == [{"number": number}]
