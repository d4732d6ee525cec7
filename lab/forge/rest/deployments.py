"""Deployments and their states, with the defaults that surprise: auto_merge, required_contexts, auto_inactive.

Source: docs.github.com/rest/deployments.
"""

from __future__ import annotations

from dataclasses import replace

from lab.forge import branches, ci_shapes, events, git_write
from lab.forge.exchange import Answer, Ask, made, nothing
from lab.forge.git_moves import Move
from lab.forge.records import Deployment
from lab.forge.refusal import Refusal, invalid, not_found, unprocessable
from lab.forge.routing import Route
from lab.forge.rules import newest_statuses
from lab.forge.state import Repository
from lab.forge.values import DESCRIPTION_LIMIT, Body, DeploymentStatus, Environment

STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


def create_deployment(ask: Ask) -> Answer:
    """POST deployments; 202 after an auto-merge, 409 for red contexts or a conflict, 422 for a missing ref."""
    repo, fields = ask.repository, ask.fields
    ref = fields.text("ref")
    sha = repo.store.commit_of(ref)
    if sha is None:
        raise unprocessable(f"No ref found for: {ref}")
    if fields.flag("auto_merge", True) and _auto_merged(ask, ref, sha):
        return Answer(202, {"message": f"Auto-merged {repo.default_branch} into {ref} on deployment."})
    _demand_contexts(ask, ref, sha)
    name = fields.text_or("environment", "production")
    now = ask.world.now()
    payload = fields.values["payload"] if fields.given("payload") else {}
    deployment = Deployment(
        ask.world.next_id(), repo, sha, ref, fields.text_or("task", "deploy"), payload, name,
        _short(ask, "Deployment", 255), fields.flag("transient_environment", False),
        fields.flag("production_environment", name == "production"), ask.token.user, now, now,
    )  # fmt: skip
    repo.deployments.append(deployment)
    repo.environments.setdefault(name, Environment(ask.world.next_id(), name, now))
    shown = ci_shapes.deployment(events.links(ask.world), deployment)
    events.emit(
        repo, "deployment", ask.token, {"deployment": shown}, action="created", ref=_full(repo, ref), sha=sha
    )
    return made(ci_shapes.deployment(ask.links, deployment))


def _full(repo: Repository, ref: str) -> str:
    """The full name of the branch or tag that was deployed; "" for a bare sha."""
    names = (f"refs/heads/{ref}", f"refs/tags/{ref}")
    return next((name for name in names if repo.store.ref(name)), "")


def _auto_merged(ask: Ask, ref: str, sha: str) -> bool:
    """Merge the default branch into a branch that lies behind it; 409 when that can't be done."""
    repo = ask.repository
    main = repo.store.ref(f"refs/heads/{repo.default_branch}")
    if main is None or repo.store.is_ancestor(main, sha):
        return False
    name = f"refs/heads/{ref}"
    tree = git_write.merged_tree(repo.store, repo.store.merge_base(main, sha), sha, main)
    if repo.store.ref(name) is None or tree is None:
        raise Refusal(409, f"Conflict merging {repo.default_branch} into {ref}")
    message = f"Merge {repo.default_branch} into {ref}"
    by = ask.world.signature(ask.token.user)
    merged = git_write.commit(repo.store, tree, [sha, main], message, by, ask.world.web_flow())
    branches.move_refs(repo, ask.token, [Move(name, merged, sha)])
    return True


def _demand_contexts(ask: Ask, ref: str, sha: str) -> None:
    contexts = ask.fields.texts("required_contexts")
    newest = newest_statuses(ask.repository, sha)
    names = list(newest) if contexts is None else contexts
    states = {name: newest[name].state if name in newest else "missing" for name in names}
    open_ones = [{"context": name, "state": state} for name, state in states.items() if state != "success"]
    if open_ones:
        error = {
            "contexts": open_ones, "resource": "Deployment", "field": "required_contexts", "code": "invalid",
        }  # fmt: skip
        raise Refusal(409, f"Conflict: Commit status checks failed for {ref}", errors=[error])


def _short(ask: Ask, resource: str, limit: int) -> str:
    text = ask.fields.text_or("description", "")
    if len(text) > limit:
        message = f"description is too long (maximum is {limit} characters)"
        raise invalid(resource, "description", "custom", message)
    return text


def list_deployments(ask: Ask) -> Answer:
    """GET deployments: newest first; filters sha, ref, task, environment."""
    filters = {key: value for key, value in ask.query.items() if key in ("sha", "ref", "task", "environment")}
    deployments = [
        deployment
        for deployment in reversed(ask.repository.deployments)
        if all(value in (getattr(deployment, key), "none") for key, value in filters.items())
    ]
    return ask.page([ci_shapes.deployment(ask.links, deployment) for deployment in deployments])


def get_deployment(ask: Ask) -> Answer:
    """GET deployments/{id}."""
    return Answer(200, ci_shapes.deployment(ask.links, _find(ask)))


def delete_deployment(ask: Ask) -> Answer:
    """DELETE deployments/{id}; 422 while it is active."""
    deployment = _find(ask)
    if len(ask.repository.deployments) > 1 and (
        not deployment.statuses or deployment.statuses[-1].state != "inactive"
    ):
        raise unprocessable("We cannot delete an active deployment unless it is the only deployment")
    ask.repository.deployments.remove(deployment)
    return nothing()


def create_status(ask: Ask) -> Answer:
    """POST deployments/{id}/statuses; success makes older ones of the environment inactive unless told not to."""
    deployment, fields = _find(ask), ask.fields
    state = fields.text("state")
    if state not in STATES:
        raise invalid("DeploymentStatus", "state", "custom", "state is not included in the list")
    made_now = DeploymentStatus(
        ask.world.next_id(), state, _short(ask, "DeploymentStatus", DESCRIPTION_LIMIT),
        fields.text_or("environment", deployment.environment),
        fields.text_or("log_url", fields.text_or("target_url", "")), fields.text_or("environment_url", ""),
        ask.token.user, ask.world.now(),
    )  # fmt: skip
    deployment.statuses.append(made_now)
    deployment.updated_at = made_now.created_at
    deployment.environment = made_now.environment
    if state == "success" and fields.flag("auto_inactive", True):
        _inactivate(ask, deployment, made_now)
    links = events.links(ask.world)
    body: Body = {
        "deployment": ci_shapes.deployment(links, deployment),
        "deployment_status": ci_shapes.deployment_status(links, deployment, made_now),
    }
    why = "a state of inactive starts no workflow" if state == "inactive" else ""
    events.emit(
        ask.repository, "deployment_status", ask.token, body,
        action="created", ref=_full(deployment.repository, deployment.ref), sha=deployment.sha, swallowed=why,
    )  # fmt: skip
    return made(ci_shapes.deployment_status(ask.links, deployment, made_now))


def _inactivate(ask: Ask, deployment: Deployment, by: DeploymentStatus) -> None:
    """Add `inactive` to the older, passing, non-production deployments of the same environment."""
    for earlier in ask.repository.deployments:
        prior = earlier.id < deployment.id and earlier.environment == deployment.environment
        states = [status.state for status in earlier.statuses]
        if (
            prior
            and not (earlier.transient or earlier.production)
            and "success" in states
            and states[-1] != "inactive"
        ):
            earlier.statuses.append(replace(by, id=ask.world.next_id(), state="inactive", description=""))


def list_statuses(ask: Ask) -> Answer:
    """GET deployments/{id}/statuses, newest first."""
    deployment = _find(ask)
    return ask.page(
        [
            ci_shapes.deployment_status(ask.links, deployment, status)
            for status in reversed(deployment.statuses)
        ]
    )


def get_status(ask: Ask) -> Answer:
    """GET deployments/{id}/statuses/{status}."""
    deployment = _find(ask)
    for status in deployment.statuses:
        if status.id == ask.number("status"):
            return Answer(200, ci_shapes.deployment_status(ask.links, deployment, status))
    raise not_found()


def _find(ask: Ask) -> Deployment:
    return ask.record(ask.repository.deployments)


AT = "/repos/{owner}/{repo}/deployments"
ROUTES = (
    Route("POST", AT, create_deployment, "deployments=write"),
    Route("GET", AT, list_deployments, "deployments=read"),
    Route("GET", AT + "/{id}", get_deployment, "deployments=read"),
    Route("DELETE", AT + "/{id}", delete_deployment, "deployments=write"),
    Route("POST", AT + "/{id}/statuses", create_status, "deployments=write"),
    Route("GET", AT + "/{id}/statuses", list_statuses, "deployments=read"),
    Route("GET", AT + "/{id}/statuses/{status}", get_status, "deployments=read"),
)
