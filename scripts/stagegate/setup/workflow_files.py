"""Composes the workflows that init writes: the release with the user's build, and the events."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from stagegate.errors import Stop
from stagegate.settings import locations
from stagegate.setup.proposed import AppProposal
from stagegate.setup.render import render
from stagegate.setup.survey import Survey

FOLDER = ".github/workflows"


def compose(proposals: Sequence[AppProposal], survey: Survey, uses: str) -> dict[str, str]:
    """The workflow files by path. `uses` is `owner/name@revision` of stagegate."""
    if not proposals:
        return {}
    repository, _, revision = uses.partition("@")
    built = [proposal for proposal in proposals if proposal.has_code]
    shared = {
        "repository": repository,
        "revision": revision,
        "branch": survey.branch,
        "config": "" if _is_found(proposals, survey) else config_glob(proposals),
        "several": len(proposals) > 1,
        # The job's token is enough for GitHub's own registry only.
        "login": any(host != "ghcr.io" for host in (*_hosts(proposals), *_chart_hosts(proposals))),
        "policy": next((proposal.policy.partition("//")[0] for proposal in proposals if proposal.policy), ""),
        "trusted_app": next((proposal.trusted_app for proposal in proposals if proposal.trusted_app), ""),
        "source": any(proposal.source for proposal in proposals),
    }
    files = {}
    if built:
        files[_free("release", survey)] = render(
            "release.yml.j2",
            builds=_builds(built),
            hosts=_hosts(built),
            pins=_pinned(built, survey),
            **shared,
        )
    if any(proposal.environments and not proposal.policy for proposal in proposals):
        files[f"{FOLDER}/stagegate.yml"] = render("stagegate.yml.j2", **shared)
    return files


def config_glob(proposals: Sequence[AppProposal]) -> str:
    """One path, or a glob that matches the settings of every app."""
    if len(proposals) == 1:
        return proposals[0].config
    parents = {posixpath.dirname(posixpath.dirname(proposal.config)) for proposal in proposals}
    return f"{parents.pop()}/*/stagegate.yaml".lstrip("/") if len(parents) == 1 else "**/stagegate.yaml"


def _is_found(proposals: Sequence[AppProposal], survey: Survey) -> bool:
    """Whether the workflows find the settings without `config`. The only app of a folder is named by its path,
    because a glob would put the app's name into the names of its GitHub Environments.
    """
    written = {proposal.config for proposal in proposals}
    if len(written) == 1 or locations.FILE in {*survey.paths, *written}:
        return written == {locations.FILE}
    try:
        return set(locations.find({*survey.paths, *written})) == written
    except Stop:
        return False


def _free(name: str, survey: Survey) -> str:
    """A file name that no other workflow has, so that existing workflows stay."""
    other_files = {workflow.file for workflow in survey.workflows if not workflow.ours}
    taken = {f"{FOLDER}/{name}.yml", f"{FOLDER}/{name}.yaml"} & other_files
    return f"{FOLDER}/stagegate-{name}.yml" if taken else f"{FOLDER}/{name}.yml"


def _pinned(proposals: Sequence[AppProposal], survey: Survey) -> list[str]:
    """Globs of files that deploy but are not part of a release: the folders of pins, or their common folder."""
    references: dict[str, None] = {}
    for proposal in proposals:
        for place in () if proposal.policy else proposal.environments:
            for pin in place.pins:
                file = pin if isinstance(pin, str) else pin.file
                folder = posixpath.dirname(file)
                references[posixpath.dirname(folder) if place.made else folder] = None
    if not references or "" in references:
        return []
    common = posixpath.commonpath(references)
    if common and not any(code == common or code.startswith(f"{common}/") for code in survey.code):
        return [f"{common}/**"]
    return sorted(f"{folder}/**" for folder in references)


def _builds(built: Sequence[AppProposal]) -> list[dict[str, str]]:
    """Each image with its Dockerfile."""
    return [
        {
            "app": proposal.name,
            "image": image,
            "file": proposal.dockerfile or "Dockerfile",
            "folder": posixpath.dirname(proposal.dockerfile) or ".",
        }
        for proposal in built
        for image in proposal.images
    ]


def _chart_hosts(proposals: Sequence[AppProposal]) -> set[str]:
    """The registries that charts go to or come from."""
    charts = (one.chart_repository or one.chart_reference for one in proposals)
    return {chart.removeprefix("oci://").partition("/")[0] for chart in charts if chart}


def _hosts(built: Sequence[AppProposal]) -> list[str]:
    """The registry hosts of the images."""
    firsts = (image.split("/", 1)[0] for proposal in built for image in proposal.images)
    return sorted({first if "." in first or ":" in first else "docker.io" for first in firsts})
