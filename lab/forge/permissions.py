"""The permissions of a token in a repository, and GitHub's messages when they are missing.

`needs` is written as GitHub's `X-Accepted-GitHub-Permissions` header: "," means and, ";" means or.
"""

from __future__ import annotations

from lab.forge import demands
from lab.forge.refusal import Refusal, not_found
from lab.forge.state import Repository, World
from lab.forge.values import Token, User

LEVELS = {"none": 0, "read": 1, "write": 2, "admin": 3}
ROLES = ("none", "read", "triage", "write", "maintain", "admin")
READABLE = (
    "actions",
    "checks",
    "contents",
    "deployments",
    "environments",
    "issues",
    "metadata",
    "pull_requests",
    "statuses",
)
WRITABLE = (*READABLE, "workflows", "actions_variables")


def role_of(repository: Repository, user: User) -> str:
    """The role of a user: as set for owner and collaborators, by contents right for Apps, else read or none."""
    if user == repository.owner:
        return "admin"
    if user.login in repository.collaborators:
        return repository.collaborators[user.login]
    for app in repository.world.apps.values():
        if app.bot == user and app.permissions.get("contents") == "write":
            return "write"
    if user == repository.world.actions_bot:
        return "write"
    return "none" if repository.private else "read"


def at_least(role: str, required: str) -> bool:
    """True when a role is as strong as the wanted one."""
    return ROLES.index(role) >= ROLES.index(required)


def _of_role(role: str) -> dict[str, str]:
    if role == "none":
        return {}
    rights = dict.fromkeys(READABLE, "read")
    if at_least(role, "triage"):
        rights |= {"issues": "write", "pull_requests": "write"}
    if at_least(role, "write"):
        rights |= dict.fromkeys(WRITABLE, "write")
    if at_least(role, "maintain"):
        rights["administration"] = "read"
    if role == "admin":
        rights |= {"administration": "write", "secrets": "write"}
    return rights


def rights(token: Token, repository: Repository) -> dict[str, str]:
    """The permissions of a token in a repository, without those of the public."""
    if token.kind == "anonymous":
        return {}
    if token.repositories is not None and repository.full_name.lower() not in token.repositories:
        return {}
    if token.is_integration:
        return {"metadata": "read", **(token.permissions or {})}
    of_user = _of_role(role_of(repository, token.user))
    if token.permissions is None:
        return of_user
    listed = {"metadata": "read", **token.permissions}
    return {
        key: min(level, listed.get(key, "none"), key=LEVELS.__getitem__) for key, level in of_user.items()
    }


def visible(token: Token, repository: Repository) -> bool:
    """True when the repository exists for this token."""
    return not repository.private or bool(rights(token, repository).get("metadata"))


def allows(token: Token, repository: Repository, needs: str) -> bool:
    """True when one of the alternatives of `needs` is fully met."""
    granted = rights(token, repository)
    # Variables and secrets of Environments are for collaborators, also in a public repository.
    public = [name for name in READABLE if name != "environments"]
    open_to_all = {} if repository.private else dict.fromkeys(public, "read")

    def met(need: str) -> bool:
        name, _, level = need.strip().partition("=")
        held = max(LEVELS[granted.get(name, "none")], LEVELS[open_to_all.get(name, "none")])
        return held >= LEVELS[level]

    return not needs or any(all(map(met, group.split(","))) for group in needs.split(";"))


def demand(token: Token, repository: Repository, needs: str, person: str = "") -> None:
    """Refuse as GitHub does unless the token may; `person` is the role that is enough for people.

    Source: docs.github.com "Troubleshooting the REST API": 404 for invisible objects, else 403 with the header.
    """
    if needs:
        demands.note(needs, token.kind)
    if not visible(token, repository):
        raise not_found()
    if allows(token, repository, needs):
        return
    fine_grained = token.permissions is not None
    if (
        person
        and token.kind == "pat"
        and not fine_grained
        and at_least(role_of(repository, token.user), person)
    ):
        return
    if token.kind == "anonymous":
        raise Refusal(401, "Requires authentication")
    raise missing(token, needs)


def missing(token: Token, needs: str) -> Refusal:
    """The 403 that names the missing permission in its header."""
    if token.is_integration:
        message = "Resource not accessible by integration"
    elif token.permissions is not None:
        message = "Resource not accessible by personal access token"
    else:
        message = "Must have push access to repository"
    return Refusal(
        403, message, headers={"X-Accepted-GitHub-Permissions": needs.replace(" ", "").replace(";", "; ")}
    )


def may_change_workflows(token: Token, repository: Repository) -> bool:
    """Whether a token may change workflows: GITHUB_TOKEN never, Apps and fine-grained tokens with `workflows`."""
    if token.kind == "actions":
        return False
    return allows(token, repository, "workflows=write")


def authenticate(world: World, value: str) -> Token:
    """The row of a token; 401 for an unknown or expired one."""
    token = world.tokens.get(value)
    if token is None or (token.expires is not None and token.expires <= world.seconds()):
        raise Refusal(401, "Bad credentials")
    return token
