"""Real clients against the forge: PyGithub on both prefixes, an App's JWT, pagination, releases and files."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import github
import jwt
import pytest
import requests
from github import Auth, Github

from tests.lab.forge_kit import Kit, dig


def client(kit: Kit, token: str, prefix: str = "") -> Github:
    """PyGithub without its pacing and retries."""
    return Github(
        base_url=kit.forge.url + prefix, auth=Auth.Token(token), retry=None, seconds_between_requests=0,
        seconds_between_writes=0,
    )  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_pygithub_makes_every_call_of_a_release(kit: Kit, prefix: str, tmp_path: Path) -> None:
    repo = client(kit, kit.dev, prefix).get_repo("acme/shop")
    base = repo.get_branch("main").commit
    ref = repo.create_git_ref("refs/heads/promote", base.sha)
    blob = repo.create_git_tree(
        [github.InputGitTreeElement("VERSION", "100644", "blob", content="1.1.0\n")],
        repo.get_git_tree(base.sha),
    )
    commit = repo.create_git_commit("Promote shop 1.1.0", blob, [repo.get_git_commit(base.sha)])
    ref.edit(commit.sha)
    pull = repo.create_pull(base="main", head="promote", title="Promote", body="why")
    assert repo.get_pulls(head="acme:promote", base="main")[0].number == pull.number
    pull.add_to_labels("stagegate")
    pull.create_review_request(["octo-lead"])
    assert [one.filename for one in pull.get_files()] == ["VERSION"]
    found = repo.get_commit(commit.sha)
    found.create_status("success", context="stagegate/pins", description="ok")
    assert [(one.context, one.creator.login) for one in found.get_statuses()] == [
        ("stagegate/pins", "octo-dev")
    ]
    assert found.get_combined_status().state == "success"
    comment = pull.create_issue_comment("hello")
    comment.edit("better")
    comment.create_reaction("+1")
    assert [one.body for one in pull.get_issue_comments()] == ["better"]
    lead = client(kit, kit.lead, prefix).get_repo("acme/shop").get_pull(pull.number)
    lead.create_review(event="APPROVE")
    assert [one.state for one in pull.get_reviews()] == ["APPROVED"]
    assert repo.get_collaborator_permission("octo-lead") == "write"
    assert pull.merge(sha=commit.sha, merge_method="squash").merged and pull.is_merged()
    deployment = repo.create_deployment(
        "main",
        task="stagegate:shop",
        auto_merge=False,
        required_contexts=[],
        payload={"a": 1},
        environment="staging",
    )
    deployment.create_status("success", auto_inactive=False)
    assert [one.payload for one in repo.get_deployments(task="stagegate:shop")] == [{"a": 1}]
    tag = repo.create_git_tag("v1.1.0", "one", repo.get_branch("main").commit.sha, "commit")
    repo.create_git_ref("refs/tags/v1.1.0", tag.sha)
    release = repo.create_git_release("v1.1.0", "shop 1.1.0", "notes", draft=True)
    (tmp_path / "shop-1.1.0.tgz").write_bytes(b"chart")
    asset = release.upload_asset(str(tmp_path / "shop-1.1.0.tgz"))
    assert asset.size == 5
    assert not release.update_release("shop 1.1.0", "notes", draft=False).draft
    assert repo.get_latest_release().tag_name == "v1.1.0"
    assert repo.compare("v1.1.0", "main").status == "identical"
    assert repo.get_contents("VERSION").decoded_content == b"1.1.0\n"  # type: ignore[union-attr]
    repo.get_git_ref("heads/promote").delete()
    with pytest.raises(github.UnknownObjectException):
        repo.get_git_ref("heads/promote")
    assert repo.create_repository_dispatch("stagegate-release", {"app": "shop"})
    assert repo.get_workflow("promote.yml").create_dispatch("main", {"version": "1.1.0"})


def test_pygithub_reads_graphql_errors(kit: Kit) -> None:
    requester = client(kit, kit.dev).requester
    sent = {
        "branch": {"repositoryNameWithOwner": "acme/shop", "branchName": "main"}, "expectedHeadOid": "1" * 40,
        "message": {"headline": "x"}, "fileChanges": {},
    }  # fmt: skip
    with pytest.raises(github.GithubException) as caught:
        requester.graphql_named_mutation("createCommitOnBranch", sent, "commit { oid }")
    assert caught.value.data["errors"][0]["type"] == "STALE_DATA"


def app_jwt(key: str, issuer: int, seconds: float = 300) -> str:
    """A JWT as an App makes it."""
    now = int(time.time())
    return jwt.encode(
        {"iat": now - 30, "exp": now + int(seconds), "iss": str(issuer)}, key, algorithm="RS256"
    )


def test_an_app_gets_tokens_with_its_key_only(kit: Kit) -> None:
    app = kit.forge.app("acme-stagegate", {"contents": "write", "statuses": "write"})
    stranger = kit.forge.app("other", {})
    kit.forge.repository("acme/secret", private=True).seed({"a": "b"})
    good = app_jwt(app.private_key, app.id)
    found = kit.rest("GET", "installation", good).json()
    assert found["app_slug"] == "acme-stagegate"
    path = f"/app/installations/{found['id']}/access_tokens"
    for bad in (app_jwt(stranger.private_key, app.id), app_jwt(app.private_key, app.id, 5_000), "no.jwt.x", "",
                app_jwt(app.private_key, app.id, -60)):  # fmt: skip
        assert kit.rest("POST", path, bad).status_code == 401
    refused = kit.rest("POST", path, good, {"permissions": {"issues": "write"}})
    assert refused.status_code == 422 and "not granted" in refused.text
    made = kit.rest(
        "POST", path, good, {"repositories": ["shop"], "permissions": {"statuses": "write"}}
    ).json()
    token = made["token"]
    assert len(token) > 150 and kit.rest("GET", "/repos/acme/secret", token).status_code == 404
    head = kit.shop.head("main")
    status = kit.rest("POST", f"statuses/{head}", token, {"state": "success"}).json()
    assert (status["creator"]["login"], status["creator"]["id"]) == ("acme-stagegate[bot]", app.bot.id)
    assert kit.rest("POST", "git/refs", token, {}).status_code == 403
    assert dig(kit.graphql("{ viewer { login } }", token), "data", "viewer")["login"] == "acme-stagegate[bot]"
    kit.forge.advance(3_700)
    assert kit.rest("GET", "", token).status_code == 401


def test_pygithub_as_an_app(kit: Kit) -> None:
    app = kit.forge.app("acme-stagegate", {"contents": "write"})
    auth = Auth.AppAuth(app.id, app.private_key)
    integration = github.GithubIntegration(auth=auth, base_url=kit.forge.url)
    installation = integration.get_repo_installation("acme", "shop")
    repo = installation.get_github_for_installation().get_repo("acme/shop")
    assert repo.default_branch == "main"


def test_long_lists_come_in_pages(kit: Kit) -> None:
    head = kit.shop.head("main")
    for number in range(35):
        kit.rest("POST", f"statuses/{head}", kit.dev, {"state": "success", "context": f"c{number}"})
    first = kit.rest("GET", f"commits/{head}/statuses?per_page=30")
    assert len(first.json()) == 30 and first.json()[0]["context"] == "c34"
    assert 'rel="next"' in first.headers["Link"]
    assert len(kit.rest("GET", first.links["next"]["url"].removeprefix(kit.forge.url)).json()) == 5
    repo = client(kit, kit.dev).get_repo("acme/shop")
    assert len(list(repo.get_commit(head).get_statuses())) == 35
    query = '{ repository(owner: "acme", name: "shop") { object(expression: "main") { ... on Commit {history(first: 1) {'
    query += " totalCount nodes { oid } pageInfo { hasNextPage endCursor } } } } } }"
    kit.shop.seed({"a": "b"})
    page = dig(kit.graphql(query, kit.dev), "data", "repository", "object", "history")
    assert page["totalCount"] == 2 and dig(page, "pageInfo") == {"hasNextPage": True, "endCursor": "cursor:1"}
    after = query.replace("first: 1", 'first: 1, after: "cursor:1"')
    page = dig(kit.graphql(after, kit.dev), "data", "repository", "object", "history")
    assert page["nodes"] == [{"oid": head}]


def test_releases_drafts_and_files(kit: Kit) -> None:
    token = kit.actions(contents="write")
    draft = kit.rest(
        "POST", "releases", token, {"tag_name": "v1.0.0", "draft": True, "name": "shop 1.0.0"}
    ).json()
    assert kit.shop.store.ref("refs/tags/v1.0.0") is None
    assert (
        kit.rest("GET", "releases", kit.reader).json() == []
        and len(kit.rest("GET", "releases", token).json()) == 1
    )
    upload = draft["upload_url"].partition("{")[0]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/gzip"}
    chart = b"\x1f\x8bchart"
    made = requests.post(f"{upload}?name=shop.tgz", data=chart, headers=headers, timeout=20)
    assert made.status_code == 201 and made.json()["digest"] == f"sha256:{hashlib.sha256(chart).hexdigest()}"
    again = requests.post(f"{upload}?name=shop.tgz", data=b"x", headers=headers, timeout=20)
    assert again.status_code == 422 and again.json()["errors"][0]["code"] == "already_exists"
    done = kit.rest("PATCH", f"releases/{draft['id']}", token, {"draft": False})
    assert done.status_code == 200 and kit.shop.store.ref("refs/tags/v1.0.0") == kit.shop.head("main")
    assert [event.action for event in kit.events("release")] == ["published", "released"]
    asset = done.json()["assets"][0]
    assert requests.get(asset["browser_download_url"], timeout=20).content == chart
    raw = kit.rest("GET", f"releases/assets/{asset['id']}", token, Accept="application/octet-stream")
    assert raw.content == chart
    got = dig(
        kit.ask(
            'release(tagName: "v1.0.0") { name isDraft tagCommit { oid } releaseAssets(first: 1) { nodes { name } } }'
        ),
        "release",
    )
    assert got["isDraft"] is False and dig(got, "tagCommit")["oid"] == kit.shop.head("main")


def test_the_tag_of_an_immutable_release_cannot_be_used_again(kit: Kit) -> None:
    kit.forge.settings("acme/shop", immutable_releases=True)
    made = kit.rest("POST", "releases", kit.dev, {"tag_name": "v1.0.0"}).json()
    assert kit.rest("POST", f"releases/{made['id']}/assets?name=x", kit.dev).status_code == 422
    assert kit.rest("DELETE", f"releases/{made['id']}", kit.dev).status_code == 204
    again = kit.rest("POST", "releases", kit.dev, {"tag_name": "v1.0.0"})
    assert again.status_code == 422 and "immutable release" in again.text


def test_rules_and_protection_as_a_doctor_reads_them(kit: Kit) -> None:
    app = kit.forge.app("acme-stagegate", {})
    kit.forge.protect(
        "acme/shop", "main", require_pull_request=True, approvals=2, required_statuses=[("stagegate/pins", app.id)],
        bypass_apps=["acme-stagegate"],
    )  # fmt: skip
    rules = kit.rest("GET", "rules/branches/main", kit.actions(metadata="read")).json()
    assert [one["type"] for one in rules] == ["pull_request", "required_status_checks"]
    assert rules[1]["parameters"]["required_status_checks"] == [
        {"context": "stagegate/pins", "integration_id": app.id}
    ]
    number = kit.rest("GET", "rulesets", kit.dev).json()[0]["id"]
    assert "bypass_actors" not in kit.rest("GET", f"rulesets/{number}", kit.dev).json()
    seen = kit.rest("GET", f"rulesets/{number}", kit.admin).json()
    assert seen["bypass_actors"] == [
        {"actor_id": app.id, "actor_type": "Integration", "bypass_mode": "always"}
    ]
    assert kit.rest("GET", "branches/main", kit.dev).json()["protected"]
    kit.forge.environment("acme/shop", "staging", branches=["main"])
    kit.forge.variable("acme/shop", "STAGEGATE_HOSTS", "shop.example")
    assert kit.rest("GET", "environments/staging", kit.dev).json()["protection_rules"]
    assert kit.rest("GET", "actions/variables/STAGEGATE_HOSTS", kit.dev).json()["value"] == "shop.example"
    assert kit.rest("GET", "actions/variables", kit.actions(contents="read")).status_code == 403


def test_links_lead_to_pages_that_show_text_as_text(kit: Kit) -> None:
    number = kit.pull("topic")
    kit.rest("POST", f"issues/{number}/comments", kit.dev, {"body": "<script>alert(1)</script>"})
    page = kit.rest("GET", f"/acme/shop/pull/{number}")
    assert page.headers["Content-Type"].startswith("text/html")
    assert (
        "OPEN: topic -&gt; main" in page.text
        and "&lt;script&gt;" in page.text
        and "<script>" not in page.text
    )
    run = kit.forge.run_started("acme/shop", "release.yml", "push", "refs/heads/main", "0" * 40, "octo-dev")
    for path in ("", f"/actions/runs/{run}", f"/commit/{kit.shop.head('main')}"):
        assert kit.rest("GET", f"/acme/shop{path}").status_code == 200
    assert kit.rest("GET", "/users/octo-dev").json()["login"] == "octo-dev"
