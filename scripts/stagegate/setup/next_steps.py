"""What a person does once between init and the first release, each step with its command. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from stagegate.setup.files import SetupFiles
from stagegate.setup.proposed import AppProposal
from stagegate.setup.survey import Survey


def notes(proposals: Sequence[AppProposal], composed: SetupFiles, survey: Survey) -> Iterator[str]:
    """The chart that new Applications deploy, the Applications themselves, then the record of what runs."""
    for one in proposals:
        made = not one.policy and any(place.made for place in one.environments)
        if made and one.chart_path and one.has_code:
            yield (
                f"The new Applications deploy the chart of {one.name} at {one.version or '0.0.0'}. Unless "
                f"{one.chart_repository} has it already, publish it once: run "
                f"`{publish_chart(one.chart_path, one.chart_name, one.version or '0.0.0', one.chart_repository)}`."
            )
    if composed.applied:
        filenames = " ".join(f"--filename {shlex.quote(path)}" for path in composed.applied)
        yield (
            f"Argo CD has to learn of the new Applications once, when they are on {survey.branch}: run "
            f"`kubectl apply {filenames}`. It reads {survey.address}, and a private repository only after "
            f"`argocd repo add {shlex.quote(survey.address)}` with a user and a token that may read it."
        )
    if any(one.environments and not one.policy for one in proposals):
        yield (
            f"When everything is on {survey.branch} and the Applications run, record once what runs, so that there "
            "is a release to go back to: run `gh workflow run stagegate.yml`."
        )


def nested(key: str, value: str) -> str:
    """A value under a dotted key, as one line of YAML: `global: {imageTag: v1.2.3}`."""
    first, *rest = key.split(".")
    inner = f'"{value}"'
    for part in reversed(rest):
        inner = f"{{{part}: {inner}}}"
    return f"{first}: {inner}"


def publish_chart(path: str, name: str, version: str, repository: str) -> str:
    """The command that packages a chart of the work tree at a version and pushes it."""
    archive = f"{name or path.rstrip('/').rpartition('/')[2]}-{version}.tgz"
    return (
        f"helm package {shlex.quote(path)} --version {version} --app-version {version} && "
        f"helm push {shlex.quote(archive)} {shlex.quote(repository)}"
    )
