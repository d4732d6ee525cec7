"""The context of a run: the facts that GitHub's runner passes in the environment, read once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from stagegate import inside
from stagegate.errors import Stop
from stagegate.model import WorkflowRun
from stagegate.patterns import pattern

_ATTEMPT = pattern(r"[1-9][0-9]{0,8}")


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The run, the repository and the files of this step. Empty strings where there is no runner."""

    workspace: Path
    repository: str = ""
    sha: str = ""
    ref: str = ""
    actor: str = ""
    triggering_actor: str = ""
    event_name: str = ""
    event_path: str = ""
    workflow: str = ""
    workflow_ref: str = ""
    run_id: str = ""
    run_attempt: int = 1
    server_url: str = "https://github.com"
    api_url: str = "https://api.github.com"
    graphql_url: str = "https://api.github.com/graphql"
    output_file: str = ""
    summary_file: str = ""
    temp: str = ""

    @property
    def run_url(self) -> str:
        """Address of this workflow run, or empty outside a runner."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}" if self.run_id else ""

    @property
    def run(self) -> WorkflowRun:
        """This workflow run as evidence records it."""
        return WorkflowRun(id=self.run_id, attempt=self.run_attempt, url=self.run_url)

    @property
    def people(self) -> tuple[str, ...]:
        """Who started this run, then who ran it again where that is somebody else: both answer for it.

        In a run that is repeated GITHUB_ACTOR stays who began it; GITHUB_TRIGGERING_ACTOR is who repeats it.
        https://docs.github.com/en/actions/reference/workflows-and-actions/variables
        """
        return tuple(dict.fromkeys(login for login in (self.actor, self.triggering_actor) if login))

    @property
    def person(self) -> str:
        """Who acts: the last of `people`; empty outside a runner."""
        return self.people[-1] if self.people else ""

    @property
    def branch(self) -> str:
        """The branch of this run, or empty when it is not on one."""
        prefix = "refs/heads/"
        return self.ref[len(prefix) :] if self.ref.startswith(prefix) else ""

    def event(self) -> dict[str, Any]:
        """The webhook payload of this run; Stop(bad-input) when its file is missing or broken."""
        if not self.event_path:
            return {}
        import json  # not for an action that reads no event

        try:
            payload = json.loads(Path(self.event_path).read_bytes())
            if not isinstance(payload, dict):
                raise ValueError("the file does not contain a JSON object")  # noqa: TRY004 caught just below
        except (OSError, ValueError, RecursionError) as error:
            raise Stop(
                "bad-input",
                "The event of this run cannot be read.",
                f"The file {Path(self.event_path).name}, which GITHUB_EVENT_PATH names, could not "
                f"be read: {error}.",
                "Run this action inside a workflow, or unset GITHUB_EVENT_PATH.",
            ) from error
        return payload

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Context:
        """Read the runner's variables from a mapping (os.environ in production)."""

        def url(name: str, default: str) -> str:
            return (environ.get(name) or default).rstrip("/")

        attempt = environ.get("GITHUB_RUN_ATTEMPT", "")
        return cls(
            workspace=Path(environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve(),
            repository=environ.get("GITHUB_REPOSITORY", ""),
            sha=environ.get("GITHUB_SHA", ""),
            ref=environ.get("GITHUB_REF", ""),
            actor=environ.get("GITHUB_ACTOR", ""),
            triggering_actor=environ.get("GITHUB_TRIGGERING_ACTOR", ""),
            event_name=environ.get("GITHUB_EVENT_NAME", ""),
            event_path=environ.get("GITHUB_EVENT_PATH", ""),
            workflow=environ.get("GITHUB_WORKFLOW", ""),
            workflow_ref=environ.get("GITHUB_WORKFLOW_REF", ""),
            run_id=environ.get("GITHUB_RUN_ID", ""),
            run_attempt=int(attempt) if attempt and _ATTEMPT.fullmatch(attempt) else 1,
            server_url=url("GITHUB_SERVER_URL", "https://github.com"),
            api_url=url("GITHUB_API_URL", "https://api.github.com"),
            graphql_url=url("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql"),
            output_file=environ.get("GITHUB_OUTPUT", ""),
            summary_file=environ.get("GITHUB_STEP_SUMMARY", ""),
            temp=environ.get("RUNNER_TEMP", ""),
        )

    def inside(self, path: str, *, what: str) -> Path:
        """A path of the workspace, symlinks resolved; Stop(bad-input) when it leads out of it.

        `what` names the input or setting, for the message.
        """
        target = inside.resolved(self.workspace, path)
        if target is None:
            raise Stop(
                "bad-input",
                f"{what} {path[:200]!r} cannot be a file.",
                "Symbolic links in the path lead in a circle, or the path is too long or has "
                "characters that a file name may not have.",
                "Write the path of a file, relative to the repository's root.",
            )
        if not target.is_relative_to(self.workspace):
            raise Stop(
                "bad-input",
                f"{what} {path!r} leads to a place outside the workspace.",
                "stagegate reads and writes only files of the checked-out repository.",
                "Write a path relative to the repository's root, without .. and without links that leave it.",
            )
        return target
