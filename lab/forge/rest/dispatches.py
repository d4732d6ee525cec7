"""Starting workflows by hand: workflow_dispatch and repository_dispatch."""

from __future__ import annotations

import json

import yaml

from lab import github_yaml
from lab.forge import ci_shapes, events
from lab.forge.exchange import Answer, Ask, nothing
from lab.forge.refusal import not_found, unprocessable
from lab.forge.routing import Route
from lab.forge.state import Repository
from lab.forge.values import Body, Run

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
    shown = ci_shapes.run(ask.links, repo, run)
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
    inputs = ask.fields.object("inputs")
    values = dict(inputs.values) if inputs else {}
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
        document = github_yaml.load(text)
    except yaml.YAMLError:
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


AT = "/repos/{owner}/{repo}"
ROUTES = (
    Route("POST", AT + "/dispatches", repository_dispatch, "contents=write"),
    Route("POST", AT + "/actions/workflows/{file}/dispatches", dispatch_workflow, "actions=write"),
)
