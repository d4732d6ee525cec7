"""Repositories, branches, collaborators, activity, users, and the few calls that belong to no repository."""

from __future__ import annotations

from urllib.parse import quote

from lab.forge import git_shapes, shapes
from lab.forge.exchange import Answer, Ask, nothing
from lab.forge.permissions import missing, role_of
from lab.forge.refusal import Refusal, not_found
from lab.forge.routing import Route
from lab.forge.rules import applying
from lab.forge.values import Activity, Body, User


def get_repository(ask: Ask) -> Answer:
    """GET /repos/{owner}/{repo}."""
    counts: Body = {"network_count": 0, "subscribers_count": 0}
    return Answer(200, shapes.repository(ask.links, ask.repository, ask.token) | counts)


def list_branches(ask: Ask) -> Answer:
    """GET branches."""
    heads = ask.repository.store.refs("refs/heads/")
    return ask.page([_branch(ask, name, sha, full=False) for name, sha in heads.items()])


def get_branch(ask: Ask) -> Answer:
    """GET branches/{branch}; 404 `Branch not found`."""
    name = f"refs/heads/{ask.param('branch')}"
    sha = ask.repository.store.ref(name)
    if sha is None:
        raise not_found("Branch not found")
    return Answer(200, _branch(ask, name, sha, full=True))


def _branch(ask: Ask, name: str, sha: str, *, full: bool) -> Body:
    repo, short = ask.repository, name.removeprefix("refs/heads/")
    at = f"{ask.links.repo(repo)}/branches/{quote(short)}"
    commit: Body = {"sha": sha, "url": f"{ask.links.repo(repo)}/commits/{sha}"}
    if full:
        commit = git_shapes.commit(ask.links, repo, repo.store.commit(sha))
    return {
        "name": short, "commit": commit, "protected": bool(applying(repo, name)),
        "protection_url": f"{at}/protection", "protection": {"enabled": bool(applying(repo, name))},
        "_links": {"self": at, "html": f"{ask.links.page(repo)}/tree/{short}"},
    }  # fmt: skip


def list_tags(ask: Ask) -> Answer:
    """GET tags: with the commits they lead to, highest name first."""
    repo, at = ask.repository, ask.links.repo(ask.repository)
    tags: list[Body] = []
    for name in sorted(repo.store.refs("refs/tags/"), reverse=True):
        sha = repo.store.resolve(f"{name}^{{commit}}")
        short = name.removeprefix("refs/tags/")
        commit: Body = {"sha": sha, "url": f"{at}/commits/{sha}"}
        tags.append({"name": short, "commit": commit, "node_id": f"REF_{repo.id}_{name}"})
    return ask.page(tags)


def get_permission(ask: Ask) -> Answer:
    """GET collaborators/{username}/permission: read for anybody on a public repository, none on a private one."""
    user = ask.world.user(ask.param("username"))
    if user is None:
        raise not_found()
    role = "none" if user.type == "Bot" else role_of(ask.repository, user)  # an App is no collaborator
    coarse = {"maintain": "write", "triage": "read"}.get(role, role)
    collaborator: Body = {**shapes.user(ask.links, user), "role_name": role}
    return Answer(200, {"permission": coarse, "role_name": role, "user": collaborator})


def is_collaborator(ask: Ask) -> Answer:
    """GET collaborators/{username}: 204 or 404."""
    user = ask.world.user(ask.param("username"))
    if user is None or (user.login not in ask.repository.collaborators and user != ask.repository.owner):
        raise not_found()
    return nothing()


def list_activity(ask: Ask) -> Answer:
    """GET activity: who moved which branch, newest first; filters ref, actor, activity_type."""
    ref = ask.query.get("ref", "")
    full = ref if ref.startswith("refs/") or not ref else f"refs/heads/{ref}"
    activities = [
        line
        for line in reversed(ask.repository.activity)
        if full in ("", line.ref)
        and ask.query.get("actor", line.actor.login) == line.actor.login
        and ask.query.get("activity_type", line.type) == line.type
    ]
    return ask.page([_activity(ask, line) for line in activities])


def _activity(ask: Ask, line: Activity) -> Body:
    return {
        "id": line.id, "node_id": f"PSH_{line.id}", "before": line.before, "after": line.after, "ref": line.ref,
        "timestamp": line.timestamp, "activity_type": line.type, "actor": shapes.user(ask.links, line.actor),
    }  # fmt: skip


def get_viewer(ask: Ask) -> Answer:
    """GET /user: people only."""
    if ask.token.kind == "anonymous":
        raise Refusal(401, "Requires authentication")
    if ask.token.is_integration:
        raise missing(ask.token, "")
    return Answer(200, _full(ask, ask.token.user))


def get_user(ask: Ask) -> Answer:
    """GET /users/{username}; an App's bot is `slug[bot]`."""
    user = ask.world.user(ask.param("username"))
    if user is None:
        raise not_found()
    return Answer(200, _full(ask, user))


def _full(ask: Ask, user: User) -> Body:
    unknown = dict.fromkeys(("email", "company", "location", "hireable", "bio"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    since = "2020-01-01T00:00:00Z"
    more: Body = {
        "name": user.login,
        "blog": "",
        "created_at": since,
        "updated_at": since,
        **unknown,
        **counts,
    }
    return shapes.user(ask.links, user) | more


def get_rate_limit(ask: Ask) -> Answer:
    """GET /rate_limit."""
    line: Body = {"limit": 5000, "used": 1, "remaining": 4999, "reset": int(ask.world.seconds()) + 3600}
    return Answer(200, {"resources": {"core": line, "graphql": line, "search": line}, "rate": line})


def get_meta(ask: Ask) -> Answer:
    """GET /meta, and / for clients that read the root."""
    return Answer(200, {"verifiable_password_authentication": False, "current_user_url": f"{ask.api}/user"})


ROUTES = (
    Route("GET", "/", get_meta),
    Route("GET", "/meta", get_meta),
    Route("GET", "/rate_limit", get_rate_limit),
    Route("GET", "/user", get_viewer),
    Route("GET", "/users/{username}", get_user),
    Route("GET", "/repos/{owner}/{repo}", get_repository, "metadata=read"),
    Route("GET", "/repos/{owner}/{repo}/branches", list_branches, "contents=read"),
    Route("GET", "/repos/{owner}/{repo}/branches/{branch*}", get_branch, "contents=read"),
    Route(
        "GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", get_permission, "metadata=read"
    ),
    Route("GET", "/repos/{owner}/{repo}/collaborators/{username}", is_collaborator, "metadata=read"),
    Route("GET", "/repos/{owner}/{repo}/tags", list_tags, "metadata=read"),
    Route("GET", "/repos/{owner}/{repo}/activity", list_activity, "contents=read"),
)
