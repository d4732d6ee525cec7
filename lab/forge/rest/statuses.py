"""Commit statuses."""

from __future__ import annotations

from lab.forge import ci_shapes, events, merge_queue, merging, shapes
from lab.forge.exchange import Answer, Ask, made
from lab.forge.refusal import Refusal, invalid, not_found, unprocessable
from lab.forge.routing import Route
from lab.forge.rules import newest_statuses
from lab.forge.values import ACTIONS_APP_ID, DESCRIPTION_LIMIT, Body, Status

STATES = ("error", "failure", "pending", "success")
PER_CONTEXT = 1_000
CONTEXT_LIMIT = 255


def create_status(ask: Ask) -> Answer:
    """POST statuses/{sha}; 422 for a long description or the 1,001st of a SHA and context."""
    repo, fields, sha = ask.repository, ask.fields, ask.param("sha")
    if repo.store.type_of(sha) != "commit" or ask.world.replica.misses(sha):
        raise unprocessable(f"No commit found for SHA: {sha}")
    state, context = fields.text("state"), fields.text_or("context", "default")
    if state not in STATES:
        raise invalid("Status", "state", "custom", "state is not included in the list")
    description = fields.text_or("description", None)
    if description and len(description) > DESCRIPTION_LIMIT:
        raise invalid(
            "Status", "description", "custom", "description is too long (maximum is 140 characters)"
        )
    if len(context) > CONTEXT_LIMIT:
        raise invalid("Status", "context", "custom", "context is too long (maximum is 255 characters)")
    address = fields.text_or("target_url", None)
    if address and not address.startswith(("http://", "https://")):
        raise invalid("Status", "target_url", "custom", "target_url must use http(s) scheme")
    count = sum(1 for status in repo.statuses if (status.sha, status.context) == (sha, context))
    if count >= PER_CONTEXT:
        message = "This SHA and context has reached the maximum number of statuses."
        raise Refusal(
            422, "Validation Failed", errors=[{"resource": "Status", "code": "custom", "message": message}]
        )
    app_id = ask.token.app.id if ask.token.app else ACTIONS_APP_ID if ask.token.kind == "actions" else None
    status = Status(
        ask.world.next_id(), sha, context, state, description, address,
        ask.token.user, app_id, ask.world.now(),
    )  # fmt: skip
    repo.statuses.append(status)
    _announce(ask, status)
    merging.wake(repo)
    merge_queue.advance(repo)
    return made(ci_shapes.status(ask.links, repo, status))


def _announce(ask: Ask, status: Status) -> None:
    repo = ask.repository
    heads = [name for name, sha in repo.store.refs("refs/heads/").items() if sha == status.sha]
    body: Body = {
        "id": status.id,
        "sha": status.sha,
        "name": repo.full_name,
        "context": status.context,
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "created_at": status.created_at,
        "branches": [{"name": name.removeprefix("refs/heads/")} for name in heads],
    }
    events.emit(repo, "status", ask.token, body)


def list_statuses(ask: Ask) -> Answer:
    """GET commits/{ref}/statuses: newest first, with creators."""
    sha = _commit(ask)
    statuses = [status for status in reversed(ask.repository.statuses) if status.sha == sha]
    return ask.page([ci_shapes.status(ask.links, ask.repository, status) for status in statuses])


def combined(ask: Ask) -> Answer:
    """GET commits/{ref}/status: the newest of each context; no creators."""
    repo, sha = ask.repository, _commit(ask)
    newest = list(newest_statuses(repo, sha).values())
    states = {status.state for status in newest}
    state = (
        "failure"
        if states & {"error", "failure"}
        else "pending"
        if "pending" in states or not newest
        else "success"
    )
    body: Body = {
        "state": state, "sha": sha, "total_count": len(newest),
        "statuses": [ci_shapes.status(ask.links, repo, status, creator=False) for status in newest],
        "repository": shapes.repository(ask.links, repo), "commit_url": f"{ask.links.repo(repo)}/commits/{sha}",
        "url": f"{ask.links.repo(repo)}/commits/{sha}/status",
    }  # fmt: skip
    return Answer(200, body)


def _commit(ask: Ask) -> str:
    sha = ask.repository.store.commit_of(ask.param("ref"))
    if sha is None:
        raise not_found(f"No commit found for SHA: {ask.param('ref')}")
    return sha


ROUTES = (
    Route("POST", "/repos/{owner}/{repo}/statuses/{sha}", create_status, "statuses=write"),
    Route("GET", "/repos/{owner}/{repo}/commits/{ref*}/statuses", list_statuses, "statuses=read"),
    Route("GET", "/repos/{owner}/{repo}/statuses/{ref*}", list_statuses, "statuses=read"),
    Route("GET", "/repos/{owner}/{repo}/commits/{ref*}/status", combined, "statuses=read"),
)
