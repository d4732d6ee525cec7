"""The workflows that init writes: the version, the user's build, the road, and one file of events."""

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
    built = [one for one in proposals if one.has_code]
    shared = {
        "repository": repository,
        "revision": revision,
        "branch": survey.branch,
        "config": "" if _is_found(proposals, survey) else config_glob(proposals),
        "several": len(proposals) > 1,
        # The job's token is enough for GitHub's own registry only.
        "login": any(host != "ghcr.io" for host in _hosts(proposals)),
        "policy": next((one.policy.partition("//")[0] for one in proposals if one.policy), ""),
        "trusted_app": next((one.trusted_app for one in proposals if one.trusted_app), ""),
        "source": any(one.source for one in proposals),
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
    if any(one.environments and not one.policy for one in proposals):
        files[f"{FOLDER}/stagegate.yml"] = render("stagegate.yml.j2", **shared)
    return files


def config_glob(proposals: Sequence[AppProposal]) -> str:
    """One path, or a glob that matches the settings of every app."""
    if len(proposals) == 1:
        return proposals[0].config
    parents = {posixpath.dirname(posixpath.dirname(one.config)) for one in proposals}
    return f"{parents.pop()}/*/stagegate.yaml".lstrip("/") if len(parents) == 1 else "**/stagegate.yaml"


def _is_found(proposals: Sequence[AppProposal], survey: Survey) -> bool:
    """Whether the workflows find the settings without `config`. The only app of a folder is named by its path,
    because a glob would put the app's name into the names of its GitHub Environments.
    """
    written = {one.config for one in proposals}
    if len(written) == 1 or locations.FILE in {*survey.paths, *written}:
        return written == {locations.FILE}
    try:
        return set(locations.find({*survey.paths, *written})) == written
    except Stop:
        return False


def _free(name: str, survey: Survey) -> str:
    """A file name that no other workflow has: a release workflow that exists stays as it is."""
    others = {workflow.file for workflow in survey.workflows if not workflow.ours}
    taken = {f"{FOLDER}/{name}.yml", f"{FOLDER}/{name}.yaml"} & others
    return f"{FOLDER}/stagegate-{name}.yml" if taken else f"{FOLDER}/{name}.yml"


def _pinned(proposals: Sequence[AppProposal], survey: Survey) -> list[str]:
    """Globs of what deploys and is no part of a release: the folders of pins, or the one that holds them all."""
    references: dict[str, None] = {}
    for one in proposals:
        for place in () if one.policy else one.environments:
            for pin in place.pins:
                file = pin if isinstance(pin, str) else pin.file
                folder = posixpath.dirname(file)
                references[posixpath.dirname(folder) if place.made else folder] = None
    if not references or "" in references:
        return []
    whole = posixpath.commonpath(references)
    if whole and not any(code == whole or code.startswith(f"{whole}/") for code in survey.code):
        return [f"{whole}/**"]
    return sorted(f"{folder}/**" for folder in references)


def _builds(built: Sequence[AppProposal]) -> list[dict[str, str]]:
    """Each image with the Dockerfile that it is built from."""
    return [
        {
            "app": one.name,
            "image": image,
            "file": one.dockerfile or "Dockerfile",
            "folder": posixpath.dirname(one.dockerfile) or ".",
        }
        for one in built
        for image in one.images
    ]


def _hosts(built: Sequence[AppProposal]) -> list[str]:
    """The registries that the images go to."""
    firsts = (image.split("/", 1)[0] for one in built for image in one.images)
    return sorted({first if "." in first or ":" in first else "docker.io" for first in firsts})
