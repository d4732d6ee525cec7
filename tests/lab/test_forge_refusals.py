"""Every refusal that a promotion can get, as one table: the caller, the request, and GitHub's response."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest
import requests

from lab.forge import Forge
from tests.lab.forge_kit import Kit, make_kit

HEAD = "<head>"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True)
class Case:
    """One call and its refusal; `<head>` in a path or body is the head of main."""

    name: str
    method: str
    path: str
    status: int
    text: str
    json: dict[str, object] = field(default_factory=dict)
    who: str = "dev"
    header: str = ""


def pull(**changes: object) -> dict[str, object]:
    """The body of a pull request that would be accepted without the changes."""
    return {"title": "t", "head": "topic", "base": "main"} | changes


def state(**changes: object) -> dict[str, object]:
    """The body of a status that would be accepted without the changes."""
    return {"state": "success", "context": "c"} | changes


RIGHTS = "Resource not accessible by integration"
CASES = [
    Case("unknown token", "GET", "", 401, "Bad credentials", who="unknown"),
    Case("expired token", "GET", "", 401, "Bad credentials", who="expired"),
    Case("nobody writes", "POST", "pulls", 401, "Requires authentication", pull(), "nobody"),
    Case("private repository", "GET", "/repos/acme/secret", 404, "Not Found"),
    Case("GITHUB_TOKEN of another repository", "GET", "/repos/acme/secret", 404, "Not Found", who="actions"),
    Case("GITHUB_TOKEN has no user", "GET", "/user", 403, RIGHTS, who="actions"),
    Case("status without right", "POST", "statuses/<head>", 403, RIGHTS, state(), "actions", "statuses=write"),
    Case("ref without right", "POST", "git/refs", 403, RIGHTS, {}, "actions", "contents=write"),
    Case("deployment without right", "POST", "deployments", 403, RIGHTS, {}, "actions", "deployments=write"),
    Case("dispatch without right", "POST", "actions/workflows/promote.yml/dispatches", 403, RIGHTS, {}, "actions",
         "actions=write"),
    Case("label without right", "POST", "issues/1/labels", 403, RIGHTS, {}, "actions",
         "issues=write; pull_requests=write"),
    Case("protection is for administrators", "GET", "branches/main/protection", 403, RIGHTS, {}, "actions",
         "administration=read"),
    Case("reader writes", "POST", "git/refs", 403, "push access", {}, "reader"),
    Case("broken JSON", "POST", "pulls", 400, "Problems parsing JSON", who="broken"),
    Case("ref exists", "POST", "git/refs", 422, "Reference already exists", {"ref": "refs/heads/main", "sha": HEAD}),
    Case("ref without prefix", "POST", "git/refs", 422, "must start with 'refs/'", {"ref": "main", "sha": HEAD}),
    Case("ref with bad name", "POST", "git/refs", 422, "not valid", {"ref": "refs/heads/a..b~x", "sha": HEAD}),
    Case("ref to nothing", "POST", "git/refs", 422, "Object does not exist", {"ref": "refs/heads/x", "sha": "1" * 40}),
    Case("ref below a branch", "POST", "git/refs", 422, "directory", {"ref": "refs/heads/main/x", "sha": HEAD}),
    Case("short sha", "POST", "git/refs", 422, "exactly 40 characters", {"ref": "refs/heads/x", "sha": "abc"}),
    Case("update of no ref", "PATCH", "git/refs/heads/no", 422, "Reference does not exist", {"sha": HEAD}),
    Case("delete of no ref", "DELETE", "git/refs/heads/no", 422, "Reference does not exist"),
    Case("beginning of refs", "GET", "git/ref/heads/mai", 404, "Not Found"),
    Case("commit on the empty tree", "POST", "git/commits", 422, "Tree SHA does not exist",
         {"message": "m", "tree": EMPTY_TREE, "parents": []}),
    Case("empty tree", "POST", "git/trees", 422, "Invalid tree info", {"tree": []}),
    Case("tag of nothing", "POST", "git/tags", 422, "Could not verify object",
         {"tag": "v1", "message": "m", "object": "1" * 40, "type": "commit"}),
    Case("long description", "POST", "statuses/<head>", 422, "maximum is 140", state(description="x" * 141)),
    Case("status of no commit", "POST", f"statuses/{'1' * 40}", 422, "No commit found", state()),
    Case("status skipped", "POST", "statuses/<head>", 422, "not included", state(state="skipped")),
    Case("deployment of no ref", "POST", "deployments", 422, "No ref found for: no", {"ref": "no"}),
    Case("no head branch", "POST", "pulls", 422, '"field": "head"', pull(head="no")),
    Case("no base branch", "POST", "pulls", 422, '"field": "base"', pull(base="no")),
    Case("second pull request", "POST", "pulls", 422, "A pull request already exists for acme:topic.", pull()),
    Case("nothing to merge", "POST", "pulls", 422, "No commits between main and same", pull(head="same")),
    Case("long body", "POST", "pulls", 422, "maximum is 65536", pull(body="x" * 65_537)),
    Case("title is missing", "POST", "pulls", 422, "wasn't supplied", {"head": "topic", "base": "main"}),
    Case("approve one's own", "POST", "pulls/1/reviews", 422, "Can not approve your own", {"event": "APPROVE"}),
    Case("stale sha", "PUT", "pulls/1/merge", 409, "Head branch was modified", {"sha": "1" * 40}),
    Case("merge method", "PUT", "pulls/1/merge", 422, "merge_method", {"merge_method": "fast"}),
    Case("is not merged", "GET", "pulls/1/merge", 404, "Not Found"),
    Case("own review", "POST", "pulls/1/requested_reviewers", 422, "author", {"reviewers": ["octo-dev"]}),
    Case("team by GITHUB_TOKEN", "POST", "pulls/1/requested_reviewers", 422, "Could not resolve to a node",
         {"team_reviewers": ["release"]}, "writer"),
    Case("long comment", "POST", "issues/1/comments", 422, "maximum is 65536", {"body": "x" * 65_537}),
    Case("no such reaction", "POST", "issues/1/reactions", 422, "invalid", {"content": "party"}),
    Case("no such workflow", "POST", "actions/workflows/no.yml/dispatches", 404, "Not Found", {"ref": "main"}),
    Case("undeclared input", "POST", "actions/workflows/promote.yml/dispatches", 422, "Unexpected inputs",
         {"ref": "main", "inputs": {"version": "1", "other": "2"}}),
    Case("missing input", "POST", "actions/workflows/promote.yml/dispatches", 422, "'version' not provided",
         {"ref": "main"}),
    Case("other choice", "POST", "actions/workflows/promote.yml/dispatches", 422, "allowed values",
         {"ref": "main", "inputs": {"version": "1", "colour": "green"}}),
    Case("no such ref", "POST", "actions/workflows/promote.yml/dispatches", 422, "No ref found",
         {"ref": "no", "inputs": {"version": "1"}}),
    Case("draft by tag", "GET", "releases/tags/v9", 404, "Not Found"),
    Case("release twice", "POST", "releases", 422, "already_exists", {"tag_name": "v1.0.0"}),
    Case("unprotected branch", "GET", "branches/main/protection", 404, "Branch not protected", who="admin"),
    Case("no such file", "GET", "contents/no", 404, "Not Found"),
    Case("compare nothing", "GET", "compare/main...no", 404, "Not Found"),
    Case("stale file", "PUT", "contents/VERSION", 409, "does not match",
         {"message": "m", "content": "eA==", "sha": "1" * 40}),
]  # fmt: skip


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """One shop for all cases (a refusal changes nothing) with a pull request, a release, a draft, a secret."""
    folder = tmp_path_factory.mktemp("refusals")
    with Forge(folder / "forge") as forge:
        kit = make_kit(forge, folder)
        head = kit.shop.head("main")
        kit.pull("topic")
        for path, json in (
            ("git/refs", {"ref": "refs/heads/same", "sha": head}),
            ("releases", {"tag_name": "v1.0.0"}),
            ("releases", {"tag_name": "v9", "draft": True}),
        ):
            assert kit.rest("POST", path, kit.dev, json).status_code == 201
        forge.repository("acme/secret", private=True).seed({"a": "b"})
        yield kit


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_refusal_has_githubs_status_and_message(busy: Kit, case: Case) -> None:
    kit, head = busy, busy.shop.head("main")
    tokens: dict[str, Callable[[], str]] = {
        "actions": lambda: kit.actions(metadata="read"),
        "writer": lambda: kit.actions(pull_requests="write"),
        "unknown": lambda: "ghp_0",
        "expired": lambda: kit.forge.token("octo-dev", expires=time.time() - 1),
        "nobody": lambda: "",
        "broken": lambda: kit.dev,
    }
    token = tokens[case.who]() if case.who in tokens else getattr(kit, case.who)
    json = {key: head if value == HEAD else value for key, value in case.json.items()}
    before = kit.shop.store.refs(), len(kit.forge.events)
    if case.who == "broken":
        answer = requests.post(
            f"{kit.forge.url}/repos/acme/shop/{case.path}", data=b"{\xff", headers={"Authorization": f"token {token}"},
            timeout=20,
        )  # fmt: skip
    else:
        answer = kit.rest(case.method, case.path.replace(HEAD, head), token, json or None)
    assert answer.status_code == case.status, answer.text
    assert case.text in answer.text
    assert answer.headers.get("X-Accepted-GitHub-Permissions", "") == case.header or not case.header
    assert (kit.shop.store.refs(), len(kit.forge.events)) == before, "a refusal must change nothing"


def test_the_1001st_status_of_a_context_is_refused(kit: Kit) -> None:
    head = kit.shop.head("main")
    assert kit.rest("POST", f"statuses/{head}", kit.dev, state()).status_code == 201
    kit.shop.statuses += [replace(kit.shop.statuses[0], id=number) for number in range(2, 1001)]
    answer = kit.rest("POST", f"statuses/{head}", kit.dev, state(state="failure"))
    assert answer.status_code == 422 and "maximum number of statuses" in answer.text
    assert kit.rest("POST", f"statuses/{head}", kit.dev, state(context="other")).status_code == 201


def test_a_tag_behind_a_workflow_change_needs_the_workflows_right(kit: Kit) -> None:
    old = kit.shop.head("main")
    kit.shop.seed({".github/workflows/promote.yml": "on: push\n"})
    token, body = kit.actions(contents="write"), {"ref": "refs/tags/v1.0.1", "sha": old}
    answer = kit.rest("POST", "git/refs", token, body)
    assert answer.status_code == 403
    assert answer.headers["X-Accepted-GitHub-Permissions"] == "contents=write,workflows=write"
    release = kit.rest("POST", "releases", token, {"tag_name": "v1.0.1", "target_commitish": old})
    assert release.status_code == 403
    assert kit.rest("POST", "git/refs", kit.dev, body).status_code == 201


def test_a_public_repository_is_read_by_everybody(kit: Kit) -> None:
    other = kit.forge.repository("acme/other")
    other.seed({"a": "b"})
    for token in ("", kit.reader, kit.actions(contents="read")):
        assert kit.rest("GET", "/repos/acme/other/contents/a", token).status_code == 200
    denied = kit.rest("POST", "/repos/acme/other/issues", kit.actions(issues="write"), {"title": "t"})
    assert denied.status_code == 403


def test_an_empty_repository_says_so(kit: Kit) -> None:
    kit.forge.repository("acme/empty")
    kit.forge.collaborator("acme/empty", "octo-dev", "write")
    answer = kit.rest("GET", "/repos/acme/empty/git/ref/heads/main", kit.dev)
    assert answer.status_code == 409 and "Git Repository is empty" in answer.text


def test_the_permission_of_people_and_strangers_is_reported(kit: Kit) -> None:
    kit.forge.repository("acme/secret", private=True).seed({"a": "b"})
    kit.forge.collaborator("acme/secret", "octo-admin", "admin")
    for path, login, permission, role in (
        ("", "octo-lead", "write", "maintain"),
        ("", "octo-admin", "admin", "admin"),
        ("", "octo-reader", "read", "read"),
        ("/repos/acme/secret/", "octo-reader", "none", "none"),
    ):
        got = kit.rest("GET", f"{path}collaborators/{login}/permission", kit.admin).json()
        assert (got["permission"], got["role_name"]) == (permission, role)
    assert kit.rest("GET", "collaborators/nobody/permission", kit.admin).status_code == 404


def test_unknown_routes_answer_404_and_are_counted(kit: Kit) -> None:
    assert kit.rest("GET", "traffic/views", kit.dev).status_code == 404
    assert kit.forge.unknown_routes == [("GET", "/repos/acme/shop/traffic/views")]
    kit.forge.world.unknown_routes.clear()
