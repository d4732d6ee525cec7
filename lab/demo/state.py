"""The state of the forge, the registry and the runs."""

from __future__ import annotations

import re
from typing import Any

from lab.act import ActRun
from lab.lab import Lab


def is_published(lab: Lab, version: str) -> bool:
    """Whether the registry has the image and the chart of a version."""
    return bool(
        lab.registry.digest("acme/shop", f"v{version}") and lab.registry.digest("acme/charts/shop", version)
    )


def verdict(lab: Lab, tag: str, environment: str) -> str:
    """The state of an environment's gate on a tag: success, failure, ..., or none."""
    return status(lab, tag, f"stagegate/shop/{environment}")


def status(lab: Lab, ref: str, context: str) -> str:
    """The state of the newest status with this context on a commit; none where there is none."""
    statuses = lab.api("octo-lead", "GET", f"/commits/{ref}/statuses?per_page=100")
    return next((str(s["state"]) for s in statuses if s["context"] == context), "none")


def may_merge(lab: Lab, pull: dict[str, Any]) -> str:
    """yes, or the state of the status that the rules of a promotion set."""
    state = status(lab, pull["head"]["sha"], "stagegate/pins")
    return "yes" if state == "success" else state


def release_assets(lab: Lab, tag: str) -> list[str]:
    """The charts among a GitHub release's files."""
    release = lab.api("octo-lead", "GET", f"/releases/tags/{tag}")
    return [asset["name"] for asset in release["assets"] if asset["name"].endswith(".tgz")]


def tags(lab: Lab) -> list[str]:
    """The names of all tags, sorted."""
    tags = lab.api("octo-lead", "GET", "/git/matching-refs/tags/")
    return sorted(str(ref["ref"]).removeprefix("refs/tags/") for ref in tags)


def result_of(runs: list[ActRun], workflow: str) -> str:
    """How the run of a workflow ended, in words."""
    code = next((run.code for run in runs if run.workflow == workflow), None)
    return "did not run" if code is None else "failed" if code else "succeeded"


def error_reasons(runs: list[ActRun], workflow: str) -> list[str]:
    """The reason in the title of every error annotation of a workflow's run."""
    text = next((run.text for run in runs if run.workflow == workflow), "")
    return re.findall(r"::error title=[\w-]+%3A ([\w-]+)::", text)
