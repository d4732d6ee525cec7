"""Dispatches, workflow runs, variables, environments."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import unquote

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lab.forge import events, shapes
from lab.forge.exchange import Answer, Ask, made, nothing
from lab.forge.refusal import malformed, not_found, unprocessable
from lab.forge.routing import Route
from lab.forge.state import Repository
from lab.forge.values import Body, Environment, Run, Variable

NEW_API = "2026-03-10"


def dispatch_workflow(ask: Ask) -> Answer:
    """POST actions/workflows/{file}/dispatches: 204, or 200 with the run's id (new API, `return_run_details`).

    404: the default branch has no such file. 422: no such ref, no such trigger there, an unknown or missing input.
    """
    repo, name = ask.repository, ask.param("file")
    path = f".github/workflows/{name}"
    if repo.store.at(f"refs/heads/{repo.default_branch}", path) is None:
        raise not_found()
    ref = ask.fields.text("ref")
    full, sha = _ref(repo, ref)
    inputs = _inputs(ask, repo, sha, path)
    number, now = ask.world.next_id(), ask.world.now()
    run = Run(number, name, "workflow_dispatch", full, sha, ask.token.user, 1, "queued", None, now, now)
    ask.world.runs[number] = (repo, run)
    body: Body = {"inputs": inputs, "ref": full, "workflow": path}
    events.emit(repo, "workflow_dispatch", ask.token, body, ref=full, sha=sha, run=number)
    if ask.headers.get("X-GitHub-Api-Version") != NEW_API and not ask.fields.flag(
        "return_run_details", False
    ):
        return nothing()
    shown = shapes.run(ask.links, repo, run)
    return Answer(200, {"workflow_run_id": number, "run_url": shown["url"], "html_url": shown["html_url"]})


def _ref(repo: Repository, ref: str) -> tuple[str, str]:
    for name in (ref, f"refs/heads/{ref}", f"refs/tags/{ref}"):
        sha = repo.store.resolve(f"{name}^{{commit}}") if name.startswith("refs/") else None
        if sha:
            return name, sha
    raise unprocessable(f"No ref found for: {ref}")


def _inputs(ask: Ask, repo: Repository, sha: str, path: str) -> dict[str, object]:
    """The inputs as the workflow will see them: declared ones only, defaults filled in."""
    blob = repo.store.at(sha, path)
    declared = _declared(repo.store.object(blob).decode()) if blob else None
    if declared is None:
        raise unprocessable("Workflow does not have 'workflow_dispatch' trigger")
    given = ask.fields.object("inputs")
    values = dict(given.values) if given else {}
    unknown = [name for name in values if name not in declared]
    if unknown:
        raise unprocessable(f"Unexpected inputs provided: {json.dumps(unknown)}")
    for name, about in declared.items():
        if name not in values and about.get("default") is not None:
            values[name] = about["default"]
        if name not in values and about.get("required"):
            raise unprocessable(f"Required input '{name}' not provided")
        options = about.get("options")
        if name in values and isinstance(options, list) and values[name] not in options:
            raise unprocessable(
                f"Provided value '{values[name]}' for input '{name}' not in the list of allowed values"
            )
    return values


def _declared(text: str) -> dict[str, dict[str, object]] | None:
    """The inputs of `on.workflow_dispatch`, {} without any, None when the workflow has no such trigger."""
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return None
    triggers = document.get("on") if isinstance(document, dict) else None
    names = [triggers] if isinstance(triggers, str) else triggers
    if not isinstance(names, list | dict) or "workflow_dispatch" not in names:
        return None
    about = names["workflow_dispatch"] if isinstance(names, dict) else None
    inputs = about.get("inputs") if isinstance(about, dict) else None
    if not isinstance(inputs, dict):
        return {}
    return {str(name): value if isinstance(value, dict) else {} for name, value in inputs.items()}


def repository_dispatch(ask: Ask) -> Answer:
    """POST dispatches: at most 100 characters of type and 10 keys of payload; runs on the default branch."""
    kind, payload = ask.fields.text("event_type"), ask.fields.object("client_payload")
    if len(kind) > 100:
        raise unprocessable("event_type is too long (maximum is 100 characters)")
    if payload and len(payload.values) > 10:
        raise unprocessable("No more than 10 properties are allowed; client_payload has more.")
    body: Body = {
        "branch": ask.repository.default_branch,
        "client_payload": dict(payload.values) if payload else {},
    }
    events.emit(ask.repository, "repository_dispatch", ask.token, body, action=kind)
    return nothing()


def get_run(ask: Ask) -> Answer:
    """GET actions/runs/{id}."""
    repo, run = ask.world.runs.get(ask.number("id"), (None, None))
    if run is None or repo is not ask.repository:
        raise not_found()
    return Answer(200, shapes.run(ask.links, ask.repository, run))


def list_runs(ask: Ask) -> Answer:
    """GET actions/runs and actions/workflows/{file}/runs, newest first; filters head_sha, event, status, branch."""
    query = ask.query
    found = [
        run
        for repo, run in reversed(ask.world.runs.values())
        if repo is ask.repository
        and ask.params.get("file", run.workflow) == run.workflow
        and query.get("head_sha", run.sha) == run.sha
        and query.get("event", run.event) == run.event
        and query.get("status", run.status) in (run.status, run.conclusion)
        and query.get("branch", run.ref.removeprefix("refs/heads/")) == run.ref.removeprefix("refs/heads/")
    ]
    return ask.page([shapes.run(ask.links, ask.repository, run) for run in found], "workflow_runs")


def get_workflow(ask: Ask) -> Answer:
    """GET actions/workflows/{file}: 404 unless the default branch has it."""
    repo, path = ask.repository, f".github/workflows/{ask.param('file')}"
    if repo.store.at(f"refs/heads/{repo.default_branch}", path) is None:
        raise not_found()
    at = f"{ask.links.repo(repo)}/actions/workflows/{ask.param('file')}"
    now = ask.world.now()
    body: Body = {
        "id": 1, "node_id": "W_1", "name": ask.param("file"), "path": path, "state": "active", "created_at": now,
        "updated_at": now, "url": at, "html_url": f"{ask.links.page(repo)}/blob/main/{path}", "badge_url": at,
    }  # fmt: skip
    return Answer(200, body)


def get_defaults(ask: Ask) -> Answer:
    """GET actions/permissions/workflow: what GITHUB_TOKEN may without `permissions`, and pull requests."""
    allowed = ask.repository.settings.actions_may_write_pull_requests
    return Answer(200, {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": allowed})


def list_variables(ask: Ask) -> Answer:
    """GET actions/variables."""
    return ask.page([_variable(one) for one in ask.repository.variables.values()], "variables")


def get_variable(ask: Ask) -> Answer:
    """GET actions/variables/{name}."""
    return Answer(200, _variable(_find_variable(ask)))


def create_variable(ask: Ask) -> Answer:
    """POST actions/variables; 409 when it exists."""
    name, now = ask.fields.text("name").upper(), ask.world.now()
    if name in ask.repository.variables:
        return Answer(409, {"message": "Already exists - Variable already exists"})
    ask.repository.variables[name] = Variable(name, ask.fields.text("value"), now, now)
    return made({})


def update_variable(ask: Ask) -> Answer:
    """PATCH actions/variables/{name}."""
    found = _find_variable(ask)
    value = ask.fields.text_or("value", found.value)
    ask.repository.variables[found.name] = replace(found, value=value, updated_at=ask.world.now())
    return nothing()


def delete_variable(ask: Ask) -> Answer:
    """DELETE actions/variables/{name}."""
    del ask.repository.variables[_find_variable(ask).name]
    return nothing()


def _find_variable(ask: Ask) -> Variable:
    found = ask.repository.variables.get(ask.param("name").upper())
    if found is None:
        raise not_found()
    return found


def _variable(found: Variable) -> Body:
    return {
        "name": found.name, "value": found.value, "created_at": found.created_at, "updated_at": found.updated_at,
    }  # fmt: skip


def list_environments(ask: Ask) -> Answer:
    """GET environments."""
    found = ask.repository.environments.values()
    return ask.page([shapes.environment(ask.links, ask.repository, one) for one in found], "environments")


def get_environment(ask: Ask) -> Answer:
    """GET environments/{name}."""
    return Answer(200, shapes.environment(ask.links, ask.repository, _find_environment(ask)))


def list_policies(ask: Ask) -> Answer:
    """GET environments/{name}/deployment-branch-policies."""
    found = _find_environment(ask)
    return ask.page([{"id": n, "name": name} for n, name in enumerate(found.branches, 1)], "branch_policies")


def _find_environment(ask: Ask) -> Environment:
    found = ask.repository.environments.get(unquote(ask.param("name")))
    if found is None:
        raise not_found()
    return found


def put_environment(ask: Ask) -> Answer:
    """PUT environments/{name}."""
    name = ask.param("name")
    if not name.strip():
        raise malformed("name is empty")
    found = ask.repository.environments.setdefault(
        name, Environment(ask.world.next_id(), name, ask.world.now())
    )
    return Answer(200, shapes.environment(ask.links, ask.repository, found))


AT = "/repos/{owner}/{repo}"
VARIABLES = AT + "/actions/variables"
ROUTES = (
    Route("POST", AT + "/dispatches", repository_dispatch, "contents=write"),
    Route("POST", AT + "/actions/workflows/{file}/dispatches", dispatch_workflow, "actions=write"),
    Route("GET", AT + "/actions/workflows/{file}/runs", list_runs, "actions=read"),
    Route("GET", AT + "/actions/workflows/{file}", get_workflow, "actions=read"),
    Route("GET", AT + "/actions/runs", list_runs, "actions=read"),
    Route("GET", AT + "/actions/runs/{id}", get_run, "actions=read"),
    Route("GET", AT + "/actions/permissions/workflow", get_defaults, "administration=read"),
    Route("GET", VARIABLES, list_variables, "actions_variables=read"),
    Route("POST", VARIABLES, create_variable, "actions_variables=write"),
    Route("GET", VARIABLES + "/{name}", get_variable, "actions_variables=read"),
    Route("PATCH", VARIABLES + "/{name}", update_variable, "actions_variables=write"),
    Route("DELETE", VARIABLES + "/{name}", delete_variable, "actions_variables=write"),
    Route("GET", AT + "/environments", list_environments, "actions=read"),
    Route("GET", AT + "/environments/{name*}/deployment-branch-policies", list_policies, "actions=read"),
    Route("GET", AT + "/environments/{name*}", get_environment, "actions=read"),
    Route("PUT", AT + "/environments/{name*}", put_environment, "administration=write"),
)
