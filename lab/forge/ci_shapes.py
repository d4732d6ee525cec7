"""The JSON of a commit's statuses, workflow runs, deployments and their Environments."""

from __future__ import annotations

import json
from urllib.parse import quote

from lab.forge.exchange import Links
from lab.forge.records import Deployment
from lab.forge.shapes import repository, user
from lab.forge.state import Repository
from lab.forge.values import Body, DeploymentStatus, Environment, Run, Status


def status(links: Links, repo: Repository, status: Status, *, creator: bool = True) -> Body:
    """A commit status; the combined view leaves the creator out."""
    body: Body = {
        "url": f"{links.repo(repo)}/statuses/{status.sha}", "id": status.id, "node_id": f"SC_{status.id}",
        "avatar_url": f"{links.web}/avatars/{status.creator.id}", "state": status.state,
        "description": status.description, "target_url": status.target_url, "context": status.context,
        "created_at": status.created_at,
        "updated_at": status.created_at,
    }  # fmt: skip
    return body | {"creator": user(links, status.creator)} if creator else body


def deployment(links: Links, deployment: Deployment) -> Body:
    """A deployment as GitHub shows it, with the payload of the request that made it."""
    at = links.repo(deployment.repository)
    return {
        "url": f"{at}/deployments/{deployment.id}",
        "id": deployment.id,
        "node_id": f"DE_{deployment.id}",
        "sha": deployment.sha,
        "ref": deployment.ref,
        "task": deployment.task,
        "payload": deployment.payload,
        "original_environment": deployment.environment,
        "environment": deployment.environment,
        "description": deployment.description,
        "creator": user(links, deployment.creator),
        "created_at": deployment.created_at,
        "updated_at": deployment.updated_at,
        "statuses_url": f"{at}/deployments/{deployment.id}/statuses",
        "repository_url": at,
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
    }


def deployment_status(links: Links, of: Deployment, status: DeploymentStatus) -> Body:
    """One state of a deployment."""
    at = f"{links.repo(of.repository)}/deployments/{of.id}"
    return {
        "url": f"{at}/statuses/{status.id}", "id": status.id, "node_id": f"DES_{status.id}", "state": status.state,
        "creator": user(links, status.creator), "description": status.description,
        "environment": status.environment, "target_url": status.log_url,
        "log_url": status.log_url, "environment_url": status.environment_url,
        "created_at": status.created_at, "updated_at": status.created_at, "deployment_url": at,
        "repository_url": links.repo(of.repository),
    }  # fmt: skip


def run(links: Links, repo: Repository, run: Run) -> Body:
    """A workflow run; the workflow is taken to be named as its file is."""
    at = f"{links.repo(repo)}/actions/runs/{run.id}"
    return {
        "id": run.id, "node_id": f"WFR_{run.id}", "name": run.workflow.removesuffix(".yml"),
        "path": f".github/workflows/{run.workflow}",
        "head_branch": run.ref.removeprefix("refs/heads/"), "head_sha": run.sha, "run_number": run.id,
        "run_attempt": run.attempt, "event": run.event, "status": run.status, "conclusion": run.conclusion,
        "workflow_id": 1, "url": at, "html_url": f"{links.page(repo)}/actions/runs/{run.id}",
        "jobs_url": f"{at}/jobs", "logs_url": f"{at}/logs", "artifacts_url": f"{at}/artifacts",
        "cancel_url": f"{at}/cancel", "rerun_url": f"{at}/rerun", "display_title": run.workflow,
        "workflow_url": f"{links.repo(repo)}/actions/workflows/1", "head_commit": None,
        "check_suite_url": f"{links.repo(repo)}/check-suites/{run.id}",
        "actor": user(links, run.actor), "triggering_actor": user(links, run.actor), "pull_requests": [],
        "created_at": run.created_at, "updated_at": run.updated_at, "run_started_at": run.created_at,
        "repository": repository(links, repo), "head_repository": repository(links, repo),
    }  # fmt: skip


def environment(links: Links, repo: Repository, environment: Environment) -> Body:
    """A GitHub Environment."""
    policy: object = (
        {"protected_branches": False, "custom_branch_policies": True} if environment.branches else None
    )
    return {
        "id": environment.id,
        "node_id": f"EN_{environment.id}",
        "name": environment.name,
        "created_at": environment.created_at,
        "url": f"{links.repo(repo)}/environments/{quote(environment.name, safe='')}",
        "updated_at": environment.created_at,
        "html_url": f"{links.page(repo)}/deployments/activity_log?environments_filter={quote(environment.name)}",
        "protection_rules": [
            {"id": environment.id, "node_id": f"GA_{environment.id}", "type": "branch_policy"}
        ]
        if environment.branches
        else [],
        "deployment_branch_policy": policy,
    }


def payload_text(value: object) -> str:
    """A deployment's payload as GraphQL returns it: JSON in a string."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
