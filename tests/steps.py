"""A step of a job in tests: its environment, its outputs, and the records that a gate writes."""

from __future__ import annotations

import os
from pathlib import Path

from stagegate.clients.hub import Hub
from stagegate.evidence import records
from stagegate.gate import describe, verdict
from stagegate.model import Evidence


def environ(url: str, repository: str, workspace: Path, output: Path, **inputs: str) -> dict[str, str]:
    """The environment of one step on the forge at `url`; `inputs` of its action."""
    return {
        "PATH": os.environ["PATH"],
        "GITHUB_WORKSPACE": str(workspace),
        "GITHUB_REPOSITORY": repository,
        "GITHUB_ACTOR": "octo-lead",
        "GITHUB_RUN_ID": "77",
        "GITHUB_SERVER_URL": url,
        "GITHUB_API_URL": url,
        "GITHUB_GRAPHQL_URL": f"{url}/graphql",
        "GITHUB_OUTPUT": str(output),
        **{f"SG_{name.upper()}": value for name, value in inputs.items()},
    }


def outputs(output: Path) -> dict[str, str]:
    """The outputs that steps wrote to GITHUB_OUTPUT; the last value of a name counts."""
    lines = output.read_text().splitlines()
    written: dict[str, str] = {}
    while lines:
        name, end = lines.pop(0).split("<<", 1)
        written[name] = "\n".join(iter(lambda: lines.pop(0), end))
    return written


def record(github: Hub, evidence: Evidence) -> tuple[str, str]:
    """Write evidence as a gate does, without its commit status; the state and text of that status."""
    number = github.create_deployment(
        evidence.commit,
        records.task(evidence.app, evidence.kind),
        evidence.environment,
        describe.payload(evidence),
        evidence.outcome,
        False,
    )
    state, text = records.deployment_state(evidence), verdict.description(evidence)
    github.create_deployment_status(number, state, text, "")
    return state, text
