"""Workflow runs, variables, environments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote

from lab.forge import ci_shapes
from lab.forge.exchange import Answer, Ask, made, nothing
from lab.forge.refusal import malformed, not_found
from lab.forge.routing import Route
from lab.forge.values import Body, Environment, Variable


def get_run(ask: Ask) -> Answer:
    """GET actions/runs/{id}."""
    repo, run = ask.world.runs.get(ask.number("id"), (None, None))
    if run is None or repo is not ask.repository:
        raise not_found()
    return Answer(200, ci_shapes.run(ask.links, ask.repository, run))


def list_runs(ask: Ask) -> Answer:
    """GET actions/runs and actions/workflows/{file}/runs, newest first; filters head_sha, event, status, branch."""
    query = ask.query
    runs = [
        run
        for repo, run in reversed(ask.world.runs.values())
        if repo is ask.repository
        and ask.params.get("file", run.workflow) == run.workflow
        and query.get("head_sha", run.sha) == run.sha
        and query.get("event", run.event) == run.event
        and query.get("status", run.status) in (run.status, run.conclusion)
        and query.get("branch", run.ref.removeprefix("refs/heads/")) == run.ref.removeprefix("refs/heads/")
    ]
    return ask.page([ci_shapes.run(ask.links, ask.repository, run) for run in runs], "workflow_runs")


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
    """GET actions/permissions/workflow: GITHUB_TOKEN's defaults, and whether it may open pull requests."""
    allowed = ask.repository.settings.actions_may_write_pull_requests
    return Answer(200, {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": allowed})


def list_variables(ask: Ask) -> Answer:
    """GET actions/variables."""
    return ask.page([_variable(variable) for variable in ask.repository.variables.values()], "variables")


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
    variable = _find_variable(ask)
    value = ask.fields.text_or("value", variable.value)
    ask.repository.variables[variable.name] = replace(variable, value=value, updated_at=ask.world.now())
    return nothing()


def delete_variable(ask: Ask) -> Answer:
    """DELETE actions/variables/{name}."""
    del ask.repository.variables[_find_variable(ask).name]
    return nothing()


def _find_variable(ask: Ask) -> Variable:
    variable = ask.repository.variables.get(ask.param("name").upper())
    if variable is None:
        raise not_found()
    return variable


def _variable(variable: Variable) -> Body:
    return {
        "name": variable.name,
        "value": variable.value,
        "created_at": variable.created_at,
        "updated_at": variable.updated_at,
    }


def list_environments(ask: Ask) -> Answer:
    """GET environments."""
    environments = ask.repository.environments.values()
    return ask.page(
        [ci_shapes.environment(ask.links, ask.repository, environment) for environment in environments],
        "environments",
    )


def get_environment(ask: Ask) -> Answer:
    """GET environments/{name}."""
    return Answer(200, ci_shapes.environment(ask.links, ask.repository, _find_environment(ask)))


def list_policies(ask: Ask) -> Answer:
    """GET environments/{name}/deployment-branch-policies."""
    environment = _find_environment(ask)
    return ask.page(
        [{"id": n, "name": name} for n, name in enumerate(environment.branches, 1)], "branch_policies"
    )


def _find_environment(ask: Ask) -> Environment:
    environment = ask.repository.environments.get(unquote(ask.param("name")))
    if environment is None:
        raise not_found()
    return environment


def put_environment(ask: Ask) -> Answer:
    """PUT environments/{name}."""
    name = ask.param("name")
    if not name.strip():
        raise malformed("name is empty")
    environment = ask.repository.environments.setdefault(
        name, Environment(ask.world.next_id(), name, ask.world.now())
    )
    return Answer(200, ci_shapes.environment(ask.links, ask.repository, environment))


AT = "/repos/{owner}/{repo}"


def list_workflows(ask: Ask) -> Answer:
    """GET actions/workflows: the files of the default branch."""
    repo = ask.repository
    paths = [entry.path for entry in repo.store.entries(repo.head(repo.default_branch), recursive=True)]
    folder = ".github/workflows/"
    names = [path.removeprefix(folder) for path in paths if path.startswith(folder)]
    disabled = repo.settings.disabled_workflows
    states = {name: "disabled_manually" if name in disabled else "active" for name in names}
    body = [
        {"id": n, "name": name, "path": f".github/workflows/{name}", "state": states[name]}
        for n, name in enumerate(names, 1)
    ]
    return ask.page(body, "workflows")


def list_environment_variables(ask: Ask) -> Answer:
    """GET environments/{name}/variables."""
    environment = _find_environment(ask)
    return ask.page([_variable(variable) for variable in environment.variables.values()], "variables")


def list_environment_secrets(ask: Ask) -> Answer:
    """GET environments/{name}/secrets: names and times, never values."""
    return _secrets(ask, _find_environment(ask).secrets)


def list_secrets(ask: Ask) -> Answer:
    """GET actions/secrets."""
    return _secrets(ask, ask.repository.secrets)


def _secrets(ask: Ask, held: Mapping[str, str]) -> Answer:
    body = [{"name": name, "created_at": at, "updated_at": at} for name, at in held.items()]
    return ask.page(body, "secrets")


VARIABLES = AT + "/actions/variables"
ROUTES = (
    Route("GET", AT + "/actions/workflows", list_workflows, "actions=read"),
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
    Route("GET", AT + "/environments/{name*}/variables", list_environment_variables, "environments=read"),
    Route("GET", AT + "/environments/{name*}/secrets", list_environment_secrets, "environments=read"),
    Route("GET", AT + "/actions/secrets", list_secrets, "secrets=read"),
    Route("GET", AT + "/environments/{name*}/deployment-branch-policies", list_policies, "actions=read"),
    Route("GET", AT + "/environments/{name*}", get_environment, "actions=read"),
    Route("PUT", AT + "/environments/{name*}", put_environment, "administration=write"),
)
