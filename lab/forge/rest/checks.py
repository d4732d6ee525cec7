"""Check runs of a commit, as an App of somebody else made them. Source: docs.github.com/rest/checks/runs."""

from __future__ import annotations

from lab.forge.exchange import Answer, Ask
from lab.forge.refusal import unprocessable
from lab.forge.routing import Route
from lab.forge.values import Body, CheckRun


def list_for_ref(ask: Ask) -> Answer:
    """GET commits/{ref}/check-runs; by default only the newest of each name and App (`filter=latest`)."""
    sha = ask.repository.store.commit_of(ask.param("ref"))
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {ask.param('ref')}")
    wanted = ask.query.get("check_name", "")
    runs = [run for run in ask.repository.check_runs if run.sha == sha and wanted in ("", run.name)]
    if ask.query.get("filter", "latest") == "latest":
        runs = list({(run.name, run.app): run for run in runs}.values())
    return Answer(200, {"total_count": len(runs), "check_runs": [_shape(run) for run in reversed(runs)]})


def _shape(run: CheckRun) -> Body:
    return {
        "id": run.id, "head_sha": run.sha, "name": run.name, "status": run.status, "conclusion": run.conclusion,
        "started_at": run.started_at, "completed_at": run.started_at if run.conclusion else None,
        "app": {"slug": run.app},
    }  # fmt: skip


ROUTES = (Route("GET", "/repos/{owner}/{repo}/commits/{ref*}/check-runs", list_for_ref, "checks=read"),)
