"""GraphQL: the shapes that clients parse, both forms of logins, and mutations that are refused."""

from __future__ import annotations

import pytest

from tests.lab.forge_kit import COMMIT, UPDATE, Kit, dig, error

ZERO = "0" * 40


def test_create_commit_on_branch_signs_and_names_the_identity(kit: Kit) -> None:
    body = kit.commit(
        "main", kit.actions(contents="write"), {"deploy/prod.yaml": "version: 1.1.0\n", "VERSION": None}
    )
    sha = dig(body, "data", "createCommitOnBranch", "commit")["oid"]
    assert sha == kit.shop.head("main")
    assert kit.shop.read("main", "deploy/prod.yaml") == b"version: 1.1.0\n"
    with pytest.raises(KeyError):
        kit.shop.read("main", "VERSION")
    commit = kit.rest("GET", f"commits/{sha}").json()
    assert commit["author"]["login"] == "github-actions[bot]" and commit["author"]["id"] == 41898282
    assert commit["commit"]["committer"]["name"] == "GitHub" and commit["commit"]["verification"]["verified"]


def test_a_stale_head_is_stale_data(kit: Kit) -> None:
    old = kit.shop.head("main")
    kit.shop.seed({"VERSION": "1.0.1\n"})
    found = error(kit.commit("main", kit.dev, {"VERSION": "2.0.0\n"}, head=old))
    assert (found["type"], found["path"]) == ("STALE_DATA", ["createCommitOnBranch"])
    assert str(found["message"]).startswith(f'Expected branch to point to "{old}" but it did not.')
    assert kit.shop.read("main", "VERSION") == b"1.0.1\n"


@pytest.mark.parametrize(
    ("branch", "files", "who", "kind", "text"),
    [
        ("no", {"a": "b"}, "dev", "NOT_FOUND", "branch must exist"),
        ("main", {"nothing": None}, "dev", "NOT_FOUND", "does not exist as of commit oid"),
        ("main", {"../up": "x"}, "dev", "UNPROCESSABLE", "not valid"),
        ("main", {"a": "b"}, "reader", "FORBIDDEN", "push access"),
        ("main", {"a": "b"}, "actions", "FORBIDDEN", "Resource not accessible by integration"),
        ("main", {".github/workflows/x.yml": "on: push"}, "bot", "FORBIDDEN", "Resource not accessible"),
    ],
)
def test_commits_that_are_refused(
    kit: Kit, branch: str, files: dict[str, str | None], who: str, kind: str, text: str
) -> None:
    tokens = {"actions": kit.actions(contents="read"), "bot": kit.actions(contents="write")}
    before = kit.shop.head("main")
    found = error(kit.commit(branch, tokens.get(who) or getattr(kit, who), files, head=before))
    assert found["type"] == kind and text in str(found["message"])
    assert kit.shop.head("main") == before


@pytest.mark.parametrize(
    ("classic", "kind", "text"),
    [
        (False, "UNPROCESSABLE", "Repository rule violations found"),
        (True, "BRANCH_PROTECTION_RULE_VIOLATION", "Prot"),
    ],
)
def test_a_protected_branch_refuses_the_commit(kit: Kit, classic: bool, kind: str, text: str) -> None:
    kit.forge.protect("acme/shop", require_pull_request=True, classic=classic)
    found = error(kit.commit("main", kit.actions(contents="write"), {"VERSION": "2"}))
    assert found["type"] == kind and text in str(found["message"])
    assert "Changes must be made through a pull request." in str(found["message"])


def test_update_refs_is_all_or_nothing(kit: Kit) -> None:
    main, repo = kit.shop.head("main"), kit.ask("id")["id"]
    head = kit.branch("next")

    def update(*moves: tuple[str, str, str, bool]) -> dict[str, object]:
        updates = [
            {"name": f"refs/heads/{name}", "beforeOid": before, "afterOid": after, "force": force}
            for name, before, after, force in moves
        ]
        return kit.graphql(UPDATE, kit.dev, i={"repositoryId": repo, "refUpdates": updates})

    assert "errors" not in update(("promote", ZERO, head, False), ("next", head, ZERO, False))
    assert set(kit.shop.store.refs("refs/heads/")) == {"refs/heads/main", "refs/heads/promote"}
    for moves in (
        (("promote", head, main, True), ("next", head, ZERO, False)),
        (("promote", main, main, True), ("other", ZERO, main, False)),
        (("promote", head, main, False),),
        (("promote", ZERO, main, False),),
    ):
        assert error(update(*moves))["path"] == ["updateRefs"]
        assert kit.shop.store.refs("refs/heads/") == {"refs/heads/main": main, "refs/heads/promote": head}
    stale = error(update(("promote", main, main, True)))
    assert stale["type"] == "STALE_DATA"


def test_logins_have_both_forms(kit: Kit) -> None:
    kit.forge.app("acme-stagegate", {"statuses": "write", "contents": "write"})
    person = kit.forge.user("acme-stagegate")
    kit.forge.collaborator("acme/shop", "acme-stagegate", "write")
    head = kit.shop.head("main")
    app, same_name = kit.forge.token("acme-stagegate", "app"), kit.forge.token("acme-stagegate")
    for token, context in ((app, "app"), (same_name, "person"), (kit.actions(statuses="write"), "actions")):
        sent = {"state": "success", "context": context}
        assert kit.rest("POST", f"statuses/{head}", token, sent).status_code == 201
    rest = {one["context"]: one["creator"] for one in kit.rest("GET", f"commits/{head}/statuses").json()}
    assert rest["app"]["login"] == "acme-stagegate[bot]" and rest["app"]["type"] == "Bot"
    assert rest["actions"]["login"] == "github-actions[bot]" and rest["person"]["type"] == "User"
    fields = "context creator { __typename login ... on User { databaseId } ... on Bot { databaseId } }"
    got = kit.ask(
        f'object(expression: "main") {{ ... on Commit {{ status {{ state contexts {{ {fields} }} }} }} }}'
    )
    contexts = dig(got, "object", "status")["contexts"]
    assert isinstance(contexts, list)
    graph = {one["context"]: one["creator"] for one in contexts}
    assert {name: one["login"] for name, one in graph.items()} == {
        "app": "acme-stagegate", "person": "acme-stagegate", "actions": "github-actions",
    }  # fmt: skip
    assert graph["person"]["databaseId"] == person.id != graph["app"]["databaseId"] == rest["app"]["id"]
    viewer = dig(kit.graphql("{ viewer { login databaseId } }", app), "data", "viewer")
    assert viewer == {"login": "acme-stagegate[bot]", "databaseId": rest["app"]["id"]}


def test_deployments_carry_their_payload_as_text(kit: Kit) -> None:
    payload = {"schema": "stagegate/evidence/1", "images": [{"digest": "sha256:0"}]}
    body = {
        "ref": "main", "task": "stagegate:shop", "auto_merge": False, "required_contexts": [],
        "environment": "staging", "payload": payload,
    }  # fmt: skip
    made = kit.rest("POST", "deployments", kit.actions(deployments="write"), body).json()
    assert made["payload"] == payload
    states = f"deployments/{made['id']}/statuses"
    for state in ("in_progress", "success"):
        sent = {"state": state, "auto_inactive": False}
        assert kit.rest("POST", states, kit.dev, sent).status_code == 201
    fields = (
        "databaseId payload task environment commitOid creator { __typename login } latestStatus { state }"
    )
    got = kit.ask(
        f'deployments(environments: ["staging"], first: 5, orderBy: {{field: CREATED_AT, direction: DESC}}) {{'
        f"nodes {{ {fields} statuses(first: 5) {{ nodes {{ state creator {{ login }} createdAt }} }} }} }}"
    )
    node = dig(got, "deployments", "nodes", 0)
    assert node["payload"] == '{"schema":"stagegate/evidence/1","images":[{"digest":"sha256:0"}]}'
    assert node["creator"] == {"__typename": "Bot", "login": "github-actions"}
    assert dig(node, "latestStatus")["state"] == "SUCCESS"
    assert dig(node, "statuses", "nodes", 1)["state"] == "IN_PROGRESS"
    assert node["commitOid"] == kit.shop.head("main")


def test_objects_tags_and_trees(kit: Kit) -> None:
    head = kit.shop.head("main")
    tag = {"tag": "v1.0.0", "message": "one", "object": head, "type": "commit"}
    sha = kit.rest("POST", "git/tags", kit.dev, tag).json()["sha"]
    assert kit.rest("POST", "git/refs", kit.dev, {"ref": "refs/tags/v1.0.0", "sha": sha}).status_code == 201
    got = kit.ask(
        'tag: ref(qualifiedName: "refs/tags/v1.0.0") { name target { __typename oid ... on Tag { message name '
        "tagger { name } target { oid } } } }"
        'blob: object(expression: "main:VERSION") { ... on Blob { text byteSize isBinary oid } }'
        'tree: object(expression: "v1.0.0:") { ... on Tree { entries { name type mode } } }'
        'none: object(expression: "main:no") { oid } '
        'refs(refPrefix: "refs/tags/", first: 1) { totalCount nodes { name } pageInfo { hasNextPage } }'
    )
    target = dig(got, "tag", "target")
    assert (target["oid"], target["__typename"], target["message"]) == (sha, "Tag", "one\n")
    assert dig(target, "target")["oid"] == head
    assert dig(got, "blob")["text"] == "1.0.0\n"
    assert {"name": "deploy", "type": "tree", "mode": 16384} in dig(got, "tree")["entries"]  # type: ignore[operator]
    assert got["none"] is None and dig(got, "refs")["totalCount"] == 1


def test_a_missing_node_and_a_page_without_a_size_are_refused(kit: Kit) -> None:
    body = kit.graphql('{ repository(owner: "acme", name: "no") { id } }', kit.dev)
    assert error(body)["type"] == "NOT_FOUND" and body["data"] == {"repository": None}
    body = kit.graphql('{ repository(owner: "acme", name: "shop") { releases { totalCount } } }', kit.dev)
    assert error(body)["type"] == "MISSING_PAGINATION_BOUNDARIES"
    body = kit.graphql("{ nope }", kit.dev)
    assert "Cannot query field 'nope'" in str(error(body)["message"]) and "data" not in body
    assert kit.rest("POST", "/graphql", "", {"query": "{ viewer { login } }"}).status_code == 401


def test_reading_a_private_repository_needs_permission(kit: Kit) -> None:
    kit.forge.repository("acme/secret", private=True).seed({"a": "b"})
    token = kit.forge.token("octo-dev", "actions", ["acme/secret"], {"contents": "read"})
    query = '{ repository(owner: "acme", name: "secret") { deployments(first: 1) { totalCount } } }'
    assert error(kit.graphql(query, token))["type"] == "FORBIDDEN"
    body = kit.graphql(
        '{ repository(owner: "acme", name: "secret") { object(expression: "main:a") { oid } } }', token
    )
    assert "errors" not in body


def test_recorded_calls_name_operation_and_mutation(kit: Kit) -> None:
    kit.commit("main", kit.dev, {"a": "b"})
    kit.ask("id")
    write, read = kit.forge.calls[-2:]
    assert (write.operation, write.mutations, write.write) == ("C", ("createCommitOnBranch",), True)
    assert (read.write, read.login) == (False, "octo-dev")
    assert COMMIT.startswith("mutation C")
