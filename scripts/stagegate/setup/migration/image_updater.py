"""Reads the configuration of Argo CD Image Updater, from annotations or ImageUpdater objects. Pure.

https://argocd-image-updater.readthedocs.io/en/stable/configuration/images/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from stagegate.argocd_app.sources import items, mapping
from stagegate.setup import references
from stagegate.setup.documents import Document
from stagegate.setup.survey import Survey

PREFIX = "argocd-image-updater.argoproj.io/"


class UpdatedImage(msgspec.Struct, frozen=True, kw_only=True):
    """One image that is followed: by which Application, within which constraint, by which strategy.

    `tag_parameter` is the Helm parameter of its tag, `whole_parameter` that of the whole reference. `filters` are
    the filters of tags that it names, `write_back` is `git` or `argocd`, `branch` and `repository` where it commits
    to, empty for those of the Application.
    """

    image: str
    application: str
    file: str
    constraint: str = ""
    strategy: str = "semver"
    tag_parameter: str = ""
    whole_parameter: str = ""
    filters: tuple[str, ...] = ()
    write_back: str = "argocd"
    branch: str = ""
    repository: str = ""


def read(survey: Survey) -> tuple[UpdatedImage, ...]:
    """Every image that Image Updater updates in this repository."""
    return tuple(updated_image for document in survey.documents for updated_image in _of(document))


def notes(updated: Sequence[UpdatedImage], branch: str = "main") -> tuple[str, ...]:
    """Notes on settings without counterpart and on files to remove. `branch` is the default branch."""
    return tuple(dict.fromkeys(_notes(updated, branch)))


def _notes(updated: Sequence[UpdatedImage], branch: str) -> Iterator[str]:
    for updated_image in updated:
        application = f"{updated_image.application or 'An Application'} ({updated_image.file})"
        if updated_image.write_back == "argocd":
            yield (
                f"{application}: Image Updater writes {updated_image.image} only into the cluster. "
                "Write the version that runs into Git, as a parameter of the Application. This "
                "parameter becomes the pin."
            )
        yield from (f"{application}: {text}" for text in _of_writing(updated_image, branch))
        if updated_image.strategy == "digest":
            yield (
                f"{application}: the strategy `digest` deploys every image that the tag "
                f"{updated_image.constraint or 'latest'} points to. stagegate promotes versions, "
                "so pin the version that runs, or its digest."
            )
        elif updated_image.strategy != "semver":
            yield (
                f"{application}: the strategy {updated_image.strategy} deploys the newest image in "
                "the registry. stagegate promotes versions that passed the gate of the earlier "
                "environment."
            )
        if updated_image.filters:
            yield (
                f"{application}: stagegate has no setting that corresponds to "
                f"{' and '.join(updated_image.filters)}. stagegate promotes only the tags of "
                "releases, which image-tags writes in the form that the key `image-tag` gives."
            )
        if updated_image.constraint and updated_image.strategy == "semver":
            yield (
                f"{application}: stagegate has no setting that corresponds to the constraint "
                f"{updated_image.constraint}. `prereleases` allows pre-releases, and `/ban` "
                "excludes a single version."
            )
    for file in dict.fromkeys(updated_image.file for updated_image in updated):
        yield (
            f"Remove the configuration of Image Updater from {file} in the commit that adopts "
            "stagegate, because both tools would change the same version."
        )


def _of_writing(updated_image: UpdatedImage, branch: str) -> Iterator[str]:
    """Where the version is written, where stagegate has to look for it elsewhere."""
    if updated_image.whole_parameter:
        yield (
            f"the parameter {updated_image.whole_parameter} contains the whole reference of "
            f"{updated_image.image}. A promotion changes the tag in this parameter if you list it "
            'in `pins`, as {file: ..., path: ..., value: "' + updated_image.image + ':{tag}"}.'
        )
    if updated_image.write_back == "git" and updated_image.repository:
        yield (
            f"Image Updater commits to {updated_image.repository}, so the pins are in that repository. "
            "Set up stagegate in that repository."
        )
    written = updated_image.branch.rpartition(":")[2]
    if updated_image.write_back == "git" and written not in ("", branch):
        yield (
            f"Image Updater commits to the branch {written}, but stagegate changes pins on "
            f"{branch}. First merge the commits of Image Updater, and let the Application deploy "
            f"from {branch}."
        )


def _of(document: Document) -> Iterator[UpdatedImage]:
    if document.is_argocd and document.kind in ("Application", "ApplicationSet"):
        content = document.content
        if document.kind == "ApplicationSet":
            content = mapping(mapping(content.get("spec")).get("template"))
        yield from _annotated(document, mapping(content.get("metadata")))
    elif document.kind == "ImageUpdater":
        yield from _declared(document)


def _annotated(document: Document, metadata: Mapping[str, Any]) -> Iterator[UpdatedImage]:
    annotations = {
        str(key).removeprefix(PREFIX): str(value)
        for key, value in mapping(metadata.get("annotations")).items()
        if str(key).startswith(PREFIX)
    }
    method = annotations.get("write-back-method", "argocd").partition(":")[0]
    for entry in filter(None, (item.strip() for item in annotations.get("image-list", "").split(","))):
        alias, equals, reference = entry.partition("=")
        image, constraint = references.image(reference if equals else entry)
        # Keys of annotations may not contain a second slash, so names have `_` instead.
        key = (alias if equals else entry.partition(":")[0]).replace("/", "_")
        whole_parameter = annotations.get(f"{key}.helm.image-spec", "")
        filters = tuple(
            name
            for name in ("allow-tags", "ignore-tags")
            if f"{key}.{name}" in annotations or name in annotations
        )
        yield UpdatedImage(
            image=image,
            application=str(metadata.get("name") or ""),
            file=document.file,
            constraint=constraint,
            strategy=_strategy(
                annotations.get(f"{key}.update-strategy") or annotations.get("update-strategy")
            ),
            tag_parameter="" if whole_parameter else annotations.get(f"{key}.helm.image-tag", ""),
            whole_parameter=whole_parameter,
            filters=filters,
            write_back=method,
            branch=annotations.get("git-branch", ""),
            repository=annotations.get("git-repository", ""),
        )


def _strategy(strategy: object) -> str:
    """The current name of a strategy; Image Updater uses semver for an unknown one."""
    name = {"latest": "newest-build", "name": "alphabetical"}.get(str(strategy), str(strategy))
    return name if name in ("semver", "newest-build", "alphabetical", "digest") else "semver"


def _declared(document: Document) -> Iterator[UpdatedImage]:
    """Images of an ImageUpdater object (Image Updater 1.0). Settings of an Application's entry have precedence."""
    spec = mapping(document.content.get("spec"))
    for reference in map(mapping, items(spec.get("applicationRefs"))):
        writing = {**mapping(spec.get("writeBackConfig")), **mapping(reference.get("writeBackConfig"))}
        git = {
            **mapping(mapping(spec.get("writeBackConfig")).get("gitConfig")),
            **mapping(mapping(reference.get("writeBackConfig")).get("gitConfig")),
        }
        for entry in map(mapping, items(reference.get("images"))):
            image, constraint = references.image(str(entry.get("imageName") or ""))
            helm = mapping(mapping(entry.get("manifestTargets")).get("helm"))
            settings: dict[str, Any] = {}
            for place in (spec, reference, entry):
                settings |= mapping(place.get("commonUpdateSettings"))
            if image:
                yield UpdatedImage(
                    image=image,
                    application=str(reference.get("namePattern") or ""),
                    file=document.file,
                    constraint=constraint,
                    strategy=_strategy(settings.get("updateStrategy") or "semver"),
                    tag_parameter="" if helm.get("spec") else str(helm.get("tag") or ""),
                    whole_parameter=str(helm.get("spec") or ""),
                    filters=tuple(name for name in ("allowTags", "ignoreTags") if settings.get(name)),
                    write_back=str(writing.get("method") or "argocd").partition(":")[0],
                    branch=str(git.get("branch") or ""),
                    repository=str(git.get("repository") or ""),
                )
