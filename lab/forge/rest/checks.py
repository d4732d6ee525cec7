"""Check runs of a commit, as an App of somebody else made them. Source: docs.github.com/rest/checks/runs."""

from __future__ import annotations

from lab.forge import shapes
from lab.forge.exchange import Answer, Ask
from lab.forge.refusal import unprocessable
from lab.forge.routing import Route
from lab.forge.values import App, Body, CheckRun, User


def list_for_ref(ask: Ask) -> Answer:
    """GET commits/{ref}/check-runs; by default only the newest of each name and App (`filter=latest`)."""
    sha = ask.repository.store.commit_of(ask.param("ref"))
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {ask.param('ref')}")
    name = ask.query.get("check_name", "")
    runs = [run for run in ask.repository.check_runs if run.sha == sha and name in ("", run.name)]
    if ask.query.get("filter", "latest") == "latest":
        runs = list({(run.name, run.app): run for run in runs}.values())
    return Answer(200, {"total_count": len(runs), "check_runs": [_shape(ask, run) for run in reversed(runs)]})


def _shape(ask: Ask, run: CheckRun) -> Body:
    at = f"{ask.links.repo(ask.repository)}/check-runs/{run.id}"
    page = f"{ask.links.page(ask.repository)}/runs/{run.id}"
    output = {"title": None, "summary": None, "text": None, "annotations_count": 0}
    return {
        "id": run.id, "head_sha": run.sha, "name": run.name, "status": run.status, "conclusion": run.conclusion,
        "started_at": run.started_at, "completed_at": run.started_at if run.conclusion else None,
        "node_id": f"CR_{run.id}", "external_id": "", "url": at, "html_url": page, "details_url": page,
        "output": {**output, "annotations_url": f"{at}/annotations"}, "check_suite": {"id": run.id},
        "pull_requests": [], "app": _app(ask, run),
    }  # fmt: skip


def _app(ask: Ask, run: CheckRun) -> Body:
    bot = User(run.id, f"{run.app}[bot]", "Bot")
    app = App(run.id, run.app, {"checks": "write"}, bot, run.id)
    return {**shapes.app(ask.links, app), "created_at": run.started_at, "updated_at": run.started_at}


ROUTES = (Route("GET", "/repos/{owner}/{repo}/commits/{ref*}/check-runs", list_for_ref, "checks=read"),)
