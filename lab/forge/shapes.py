"""The JSON that REST and events show for people, repositories, commits, statuses, deployments and runs."""

from __future__ import annotations

from urllib.parse import quote

from lab.forge.exchange import Links
from lab.forge.permissions import at_least, role_of
from lab.forge.state import Repository
from lab.forge.values import App, Body, Rules, Token, User

_CREATED = "2026-01-05T09:00:00Z"  # no client of ours reads the time at which a repository was created
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


def user(links: Links, user: User) -> Body:
    """A simple user; bots show `name[bot]`."""
    kind = "apps" if user.type == "Bot" else ""
    at = f"{links.api}/users/{quote(user.login)}"
    return {
        "login": user.login, "id": user.id, "node_id": user.node_id, "type": user.type, "site_admin": False,
        "avatar_url": f"{links.web}/avatars/{user.id}", "gravatar_id": "",
        "url": at, "followers_url": f"{at}/followers", "following_url": f"{at}/following{{/other_user}}",
        "gists_url": f"{at}/gists{{/gist_id}}", "starred_url": f"{at}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{at}/subscriptions", "organizations_url": f"{at}/orgs",
        "repos_url": f"{at}/repos", "events_url": f"{at}/events{{/privacy}}",
        "received_events_url": f"{at}/received_events",
        "html_url": f"{links.web}/{kind}/{user.short_login}" if kind else f"{links.web}/{user.login}",
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


def app(links: Links, app: App) -> Body:
    """A GitHub App."""
    return {
        "id": app.id, "slug": app.slug, "node_id": f"A_{app.id}", "name": app.slug, "description": "",
        "owner": user(links, app.bot), "permissions": dict(app.permissions), "events": [],
        "external_url": links.web, "html_url": f"{links.web}/apps/{app.slug}", "client_id": f"Iv1.{app.id}",
    }  # fmt: skip


def rule_list(repo: Repository, ruleset: Rules) -> list[Body]:
    """The rules of a ruleset, as `rules/branches` shows them (bypass lists are not shown)."""
    source: Body = {
        "ruleset_source_type": "Repository",
        "ruleset_source": repo.full_name,
        "ruleset_id": ruleset.id,
    }
    rules: list[Body] = []
    if ruleset.pull_request:
        rules.append({"type": "pull_request", "parameters": {
            "required_approving_review_count": ruleset.approvals,
            "dismiss_stale_reviews_on_push": ruleset.dismiss_stale,
            "require_code_owner_review": False, "require_last_push_approval": False,
            "required_review_thread_resolution": False,
            "allowed_merge_methods": ["merge", "squash", "rebase"]}})  # fmt: skip
    if ruleset.statuses:
        checks = [
            {"context": name} | ({"integration_id": app_id} if app_id else {})
            for name, app_id in ruleset.statuses
        ]
        rules.append({"type": "required_status_checks", "parameters": {
            "required_status_checks": checks, "strict_required_status_checks_policy": ruleset.strict,
            "do_not_enforce_on_create": True}})  # fmt: skip
    if ruleset.merge_queue:
        rules.append({"type": "merge_queue", "parameters": {"merge_method": "MERGE"}})
    switches = ("creation", "deletion", "non_fast_forward")
    rules += [{"type": name} for name in switches if getattr(ruleset, name)]
    return [rule | source for rule in rules]
