"""The JSON that REST and events show for people, repositories, commits, statuses, deployments and runs."""

from __future__ import annotations

import json
from urllib.parse import quote

from lab.forge.exchange import Links
from lab.forge.git_objects import Change, Commit, Signature
from lab.forge.permissions import at_least, role_of
from lab.forge.records import Deployment
from lab.forge.state import Repository, World
from lab.forge.values import App, Body, DeploymentStatus, Environment, Rules, Run, Status, Token, User

_CREATED = "2026-01-05T09:00:00Z"  # no client of ours looks at when a repository was made
_LINKED = (
    "branches{/branch}", "commits{/sha}", "compare/{base}...{head}", "contents/{+path}", "deployments",
    "git/commits{/sha}", "git/refs{/sha}", "git/tags{/sha}", "issues{/number}", "labels{/name}", "pulls{/number}",
    "releases{/id}", "statuses/{sha}", "forks", "teams", "hooks", "events", "tags", "languages", "stargazers",
    "contributors", "subscribers", "subscription", "comments{/number}", "merges", "downloads", "assignees{/user}",
    "keys{/key_id}", "collaborators{/collaborator}", "milestones{/number}",
    "notifications{?since,all,participating}",
)  # fmt: skip
_LINKED_OTHERWISE = {
    "issue_events_url": "issues/events{/number}",
    "issue_comment_url": "issues/comments{/number}",
    "blobs_url": "git/blobs{/sha}",
    "trees_url": "git/trees{/sha}",
    "archive_url": "{archive_format}{/ref}",
}


def user(links: Links, who: User) -> Body:
    """A simple user; bots show `name[bot]`."""
    kind = "apps" if who.type == "Bot" else ""
    at = f"{links.api}/users/{quote(who.login)}"
    return {
        "login": who.login, "id": who.id, "node_id": who.node_id, "type": who.type, "site_admin": False,
        "avatar_url": f"{links.web}/avatars/{who.id}", "gravatar_id": "",
        "url": at, "followers_url": f"{at}/followers", "following_url": f"{at}/following{{/other_user}}",
        "gists_url": f"{at}/gists{{/gist_id}}", "starred_url": f"{at}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{at}/subscriptions", "organizations_url": f"{at}/orgs",
        "repos_url": f"{at}/repos", "events_url": f"{at}/events{{/privacy}}",
        "received_events_url": f"{at}/received_events",
        "html_url": f"{links.web}/{kind}/{who.short_login}" if kind else f"{links.web}/{who.login}",
    }  # fmt: skip


def repository(links: Links, repo: Repository, token: Token | None = None) -> Body:
    """A repository; with a token also its permissions."""
    at, page = links.repo(repo), links.page(repo)
    body: Body = {
        "id": repo.id, "node_id": f"R_{repo.id}", "name": repo.name, "full_name": repo.full_name,
        "private": repo.private, "visibility": "private" if repo.private else "public",
        "owner": user(links, repo.owner),
        "html_url": page, "url": at, "clone_url": f"{page}.git", "git_url": f"{page}.git",
        "default_branch": repo.default_branch, "fork": repo.parent is not None, "archived": False,
        "disabled": False,
        "description": None, "has_issues": True, "topics": [], "license": None, "homepage": None, "language": None,
        "mirror_url": None, "ssh_url": f"git@{links.web.partition('://')[2]}:{repo.full_name}.git", "svn_url": page,
        "has_wiki": False, "has_projects": False, "has_pages": False, "has_downloads": True, "size": 0,
        "has_discussions": False, "web_commit_signoff_required": False, "is_template": False,
        "forks": 0, "forks_count": 0, "open_issues": 0, "open_issues_count": 0, "stargazers_count": 0,
        "watchers": 0, "watchers_count": 0, "allow_forking": True, "created_at": _CREATED, "updated_at": _CREATED,
        "pushed_at": _CREATED,
        "allow_auto_merge": repo.settings.allow_auto_merge,
        "allow_merge_commit": repo.settings.allow_merge_commit,
        "allow_squash_merge": repo.settings.allow_squash_merge,
        "allow_rebase_merge": repo.settings.allow_rebase_merge,
        "delete_branch_on_merge": repo.settings.delete_branch_on_merge,
    }  # fmt: skip
    for name in _LINKED:
        key = name.split("{")[0].strip("/").replace("/", "_") + "_url"
        body[key] = f"{at}/{name}"
    for key, name in _LINKED_OTHERWISE.items():
        body[key] = f"{at}/{name}"
    if token is not None and token.kind == "pat":
        role = role_of(repo, token.user)
        body["permissions"] = {
            "admin": role == "admin", "maintain": at_least(role, "maintain"), "push": at_least(role, "write"),
            "triage": at_least(role, "triage"), "pull": at_least(role, "read"),
        }  # fmt: skip
    return body


def person(signature: Signature) -> Body:
    """Name, address and date of a commit's author."""
    return {"name": signature.name, "email": signature.email, "date": signature.date}


def git_commit(links: Links, repo: Repository, commit: Commit) -> Body:
    """A commit of the Git database."""
    at, page = links.repo(repo), links.page(repo)
    return {
        "sha": commit.sha, "node_id": f"C_{repo.id}_{commit.sha}", "url": f"{at}/git/commits/{commit.sha}",
        "html_url": f"{page}/commit/{commit.sha}", "author": person(commit.author),
        "committer": person(commit.committer),
        "message": commit.message, "tree": {"sha": commit.tree, "url": f"{at}/git/trees/{commit.tree}"},
        "parents": [{"sha": sha, "url": f"{at}/git/commits/{sha}", "html_url": f"{page}/commit/{sha}"}
                    for sha in commit.parents],
        "verification": verification(repo.world, commit.sha),
    }  # fmt: skip


def verification(world: World, sha: str) -> Body:
    """Whether GitHub signed the commit."""
    signed = sha in world.signed
    return {
        "verified": signed, "reason": "valid" if signed else "unsigned",
        "signature": "-----BEGIN PGP SIGNATURE-----" if signed else None, "payload": None,
        "verified_at": world.now() if signed else None,
    }  # fmt: skip


def commit(links: Links, repo: Repository, commit: Commit) -> Body:
    """A commit as lists show it: Git's data inside, GitHub's accounts outside."""
    inner = git_commit(links, repo, commit)
    del inner["parents"]
    at, page, world = links.repo(repo), links.page(repo), repo.world
    author, committer = world.person_of(commit.author.email), world.person_of(commit.committer.email)
    return {
        "sha": commit.sha, "node_id": f"C_{repo.id}_{commit.sha}", "url": f"{at}/commits/{commit.sha}",
        "html_url": f"{page}/commit/{commit.sha}", "comments_url": f"{at}/commits/{commit.sha}/comments",
        "commit": inner | {"url": f"{at}/git/commits/{commit.sha}", "comment_count": 0},
        "author": user(links, author) if author else None,
        "committer": user(links, committer) if committer else None,
        "parents": [{"sha": sha, "url": f"{at}/commits/{sha}", "html_url": f"{page}/commit/{sha}"}
                    for sha in commit.parents],
    }  # fmt: skip


def file(links: Links, repo: Repository, change: Change, head: str, patch: str | None) -> Body:
    """A changed file of a commit, comparison or pull request."""
    body: Body = {
        "sha": change.sha, "filename": change.path, "status": change.status, "additions": change.additions,
        "deletions": change.deletions, "changes": change.additions + change.deletions,
        "blob_url": f"{links.page(repo)}/blob/{head}/{quote(change.path)}",
        "raw_url": f"{links.page(repo)}/raw/{head}/{quote(change.path)}",
        "contents_url": f"{links.repo(repo)}/contents/{quote(change.path)}?ref={head}",
    }  # fmt: skip
    if change.previous:
        body["previous_filename"] = change.previous
    if patch is not None:
        body["patch"] = patch
    return body


def ref(links: Links, repo: Repository, name: str, sha: str) -> Body:
    """A Git reference. Its `url` says `/git/refs/`, which clients PATCH and DELETE."""
    kind = repo.store.type_of(sha) or "commit"
    at = links.repo(repo)
    return {
        "ref": name, "node_id": f"REF_{repo.id}_{name}", "url": f"{at}/git/{quote(name)}",
        "object": {"type": kind, "sha": sha, "url": f"{at}/git/{kind}s/{sha}"},
    }  # fmt: skip


def status(links: Links, repo: Repository, status: Status, *, creator: bool = True) -> Body:
    """A commit status; the combined view leaves the creator out."""
    body: Body = {
        "url": f"{links.repo(repo)}/statuses/{status.sha}", "id": status.id, "node_id": f"SC_{status.id}",
        "avatar_url": f"{links.web}/avatars/{status.creator.id}", "state": status.state,
        "description": status.description, "target_url": status.target_url, "context": status.context,
        "created_at": status.created_at,
        "updated_at": status.created_at,
    }  # fmt: skip
    return body | {"creator": user(links, status.creator)} if creator else body


def deployment(links: Links, deployment: Deployment) -> Body:
    """A deployment, its payload as it was sent."""
    at = links.repo(deployment.repository)
    return {
        "url": f"{at}/deployments/{deployment.id}",
        "id": deployment.id,
        "node_id": f"DE_{deployment.id}",
        "sha": deployment.sha,
        "ref": deployment.ref,
        "task": deployment.task,
        "payload": deployment.payload,
        "original_environment": deployment.environment,
        "environment": deployment.environment,
        "description": deployment.description,
        "creator": user(links, deployment.creator),
        "created_at": deployment.created_at,
        "updated_at": deployment.updated_at,
        "statuses_url": f"{at}/deployments/{deployment.id}/statuses",
        "repository_url": at,
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
    }


def deployment_status(links: Links, of: Deployment, found: DeploymentStatus) -> Body:
    """One state of a deployment."""
    at = f"{links.repo(of.repository)}/deployments/{of.id}"
    return {
        "url": f"{at}/statuses/{found.id}", "id": found.id, "node_id": f"DES_{found.id}", "state": found.state,
        "creator": user(links, found.creator), "description": found.description, "environment": found.environment,
        "target_url": found.log_url, "log_url": found.log_url, "environment_url": found.environment_url,
        "created_at": found.created_at, "updated_at": found.created_at, "deployment_url": at,
        "repository_url": links.repo(of.repository),
    }  # fmt: skip


def run(links: Links, repo: Repository, run: Run) -> Body:
    """A workflow run; the workflow is taken to be named as its file is."""
    at = f"{links.repo(repo)}/actions/runs/{run.id}"
    return {
        "id": run.id, "node_id": f"WFR_{run.id}", "name": run.workflow.removesuffix(".yml"),
        "path": f".github/workflows/{run.workflow}",
        "head_branch": run.ref.removeprefix("refs/heads/"), "head_sha": run.sha, "run_number": run.id,
        "run_attempt": run.attempt, "event": run.event, "status": run.status, "conclusion": run.conclusion,
        "workflow_id": 1, "url": at, "html_url": f"{links.page(repo)}/actions/runs/{run.id}",
        "jobs_url": f"{at}/jobs", "logs_url": f"{at}/logs", "artifacts_url": f"{at}/artifacts",
        "cancel_url": f"{at}/cancel", "rerun_url": f"{at}/rerun", "display_title": run.workflow,
        "workflow_url": f"{links.repo(repo)}/actions/workflows/1", "head_commit": None,
        "check_suite_url": f"{links.repo(repo)}/check-suites/{run.id}",
        "actor": user(links, run.actor), "triggering_actor": user(links, run.actor), "pull_requests": [],
        "created_at": run.created_at, "updated_at": run.updated_at, "run_started_at": run.created_at,
        "repository": repository(links, repo), "head_repository": repository(links, repo),
    }  # fmt: skip


def environment(links: Links, repo: Repository, environment: Environment) -> Body:
    """A GitHub Environment."""
    policy: object = (
        {"protected_branches": False, "custom_branch_policies": True} if environment.branches else None
    )
    return {
        "id": environment.id,
        "node_id": f"EN_{environment.id}",
        "name": environment.name,
        "created_at": environment.created_at,
        "url": f"{links.repo(repo)}/environments/{quote(environment.name, safe='')}",
        "updated_at": environment.created_at,
        "html_url": f"{links.page(repo)}/deployments/activity_log?environments_filter={quote(environment.name)}",
        "protection_rules": [
            {"id": environment.id, "node_id": f"GA_{environment.id}", "type": "branch_policy"}
        ]
        if environment.branches
        else [],
        "deployment_branch_policy": policy,
    }


def app(links: Links, app: App) -> Body:
    """A GitHub App."""
    return {
        "id": app.id, "slug": app.slug, "node_id": f"A_{app.id}", "name": app.slug, "description": "",
        "owner": user(links, app.bot), "permissions": dict(app.permissions), "events": [],
        "external_url": links.web, "html_url": f"{links.web}/apps/{app.slug}", "client_id": f"Iv1.{app.id}",
    }  # fmt: skip


def rule_list(repo: Repository, found: Rules) -> list[Body]:
    """The rules of a ruleset, as `rules/branches` shows them (bypass lists are not shown)."""
    source: Body = {
        "ruleset_source_type": "Repository",
        "ruleset_source": repo.full_name,
        "ruleset_id": found.id,
    }
    rules: list[Body] = []
    if found.pull_request:
        rules.append({"type": "pull_request", "parameters": {
            "required_approving_review_count": found.approvals,
            "dismiss_stale_reviews_on_push": found.dismiss_stale,
            "require_code_owner_review": False, "require_last_push_approval": False,
            "required_review_thread_resolution": False,
            "allowed_merge_methods": ["merge", "squash", "rebase"]}})  # fmt: skip
    if found.statuses:
        checks = [
            {"context": name} | ({"integration_id": app_id} if app_id else {})
            for name, app_id in found.statuses
        ]
        rules.append({"type": "required_status_checks", "parameters": {
            "required_status_checks": checks, "strict_required_status_checks_policy": found.strict,
            "do_not_enforce_on_create": True}})  # fmt: skip
    if found.merge_queue:
        rules.append({"type": "merge_queue", "parameters": {"merge_method": "MERGE"}})
    switches = ("creation", "deletion", "non_fast_forward")
    rules += [{"type": name} for name in switches if getattr(found, name)]
    return [rule | source for rule in rules]


def payload_text(value: object) -> str:
    """A deployment's payload as GraphQL returns it: JSON in a string."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
