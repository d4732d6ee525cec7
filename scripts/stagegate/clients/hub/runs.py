"""Workflow runs: starting them by dispatch, and reading whether they are still running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from stagegate.clients.hub.accounts import Account, actor_of
from stagegate.clients.hub.memory import remembered
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import Refused
from stagegate.clients.hub.values import RunInfo
from stagegate.errors import Stop


class _Home(msgspec.Struct, frozen=True):
    full_name: str = ""


class _Run(msgspec.Struct, frozen=True):
    status: str | None = None
    path: str = ""
    head_branch: str | None = None
    head_sha: str = ""
    head_repository: _Home | None = None
    triggering_actor: Account | None = None
    actor: Account | None = None


class Runs(Port):
    """Workflow runs of the repository."""

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow by its file name on a branch: the one event GITHUB_TOKEN may cause.

        A lost response is a Stop: whether it started cannot be looked up.
        """
        path = self._c.path("actions/workflows", workflow, "dispatches")
        body = {"ref": ref, "inputs": dict(inputs)}
        doing = f"start the workflow {workflow} on {ref}"
        try:
            self._c.write("POST", path, body, doing, "actions: write", msgspec.Raw)
        except Refused as refusal:
            if refusal.status not in (404, 422):
                raise
            raise Stop(
                "missing-file",
                refusal.what,
                f"GitHub reported: {refusal.message or 'Not Found'}. The file must be in "
                ".github/workflows on the "
                f"default branch, have `workflow_dispatch:` and the inputs {', '.join(inputs) or 'none'}.",
                "Add the workflow (examples/shop has one), or correct the name of the file.",
            ) from refusal

    def repository_dispatch(self, event_type: str, payload: Mapping[str, Any]) -> None:
        """Send an event to the repository's workflows; a lost response is a Stop."""
        body = {"event_type": event_type, "client_payload": dict(payload)}
        doing = f"send {event_type} to {self.repository}"
        self._c.write("POST", self._c.path("dispatches"), body, doing, "contents: write", msgspec.Raw)

    def run_state(self, run_id: str | int) -> Literal["running", "done", "unknown"]:
        """Whether a run is still at work; unknown when it is gone or may not be read."""
        return self.run_info(run_id).state

    @remembered
    def run_info(self, run_id: str | int) -> RunInfo:
        """The state of a run; unknown when it is deleted or may not be read."""
        path = self._c.path("actions/runs", run_id)
        try:
            run = self._c.find(path, _Run, f"read run {run_id}", "actions: read")
        except Refused as refusal:
            if refusal.status == 403:
                return RunInfo()
            raise
        if run is None or run.status is None:
            return RunInfo()
        return RunInfo(
            state="done" if run.status == "completed" else "running",
            workflow=run.path.partition("@")[0],
            branch=run.head_branch or "",
            commit=run.head_sha,
            repository=run.head_repository.full_name if run.head_repository else "",
            actor=actor_of(run.triggering_actor or run.actor),
        )
