"""Argo CD Image Updater: the images that its annotations or its ImageUpdater objects follow. Pure.

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

    `tag_parameter` is the Helm parameter of its tag, `write_back` `git` or `argocd`, `branch` the pair of branches
    that it commits to.
    """

    image: str
    application: str
    file: str
    constraint: str = ""
    strategy: str = "semver"
    tag_parameter: str = ""
    write_back: str = "argocd"
    branch: str = ""


def read(survey: Survey) -> tuple[UpdatedImage, ...]:
    """Every image that is followed in this repository."""
    return tuple(one for document in survey.documents for one in _of(document))


def notes(updated: Sequence[UpdatedImage]) -> Iterator[str]:
    """What is taken over, what has no counterpart, and what has to be taken out."""
    for one in updated:
        who = f"{one.application or 'An Application'} ({one.file})"
        if one.write_back == "argocd":
            yield (
                f"{who}: Image Updater writes {one.image} into the cluster only. Write the version that runs "
                "into Git, as a parameter of the Application; that is the pin."
            )
        if one.strategy not in ("semver", ""):
            yield (
                f"{who}: the strategy {one.strategy} follows what is newest in the registry. stagegate promotes "
                "versions that passed the environment before."
            )
        if one.constraint:
            yield (
                f"{who}: the constraint {one.constraint} has no counterpart. Pre-releases are let in by "
                "`prereleases`, and one version is kept out by `/ban`."
            )
    for file in dict.fromkeys(one.file for one in updated):
        yield (
            f"Take Image Updater's configuration out of {file} in the commit that adopts stagegate: both would "
            "move the same version."
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
    given = {
        str(key).removeprefix(PREFIX): str(value)
        for key, value in mapping(metadata.get("annotations")).items()
        if str(key).startswith(PREFIX)
    }
    for entry in filter(None, (one.strip() for one in given.get("image-list", "").split(","))):
        alias, equals, rest = entry.partition("=")
        image, constraint = references.image(rest if equals else entry)
        alias = alias if equals else ""
        branch = given.get("git-branch", "")
        yield UpdatedImage(
            image=image,
            application=str(metadata.get("name") or ""),
            file=document.file,
            constraint=constraint,
            strategy=given.get(f"{alias}.update-strategy", given.get("update-strategy", "semver")),
            tag_parameter=given.get(f"{alias}.helm.image-tag", ""),
            write_back=given.get("write-back-method", "argocd").partition(":")[0],
            branch=branch,
        )


def _declared(document: Document) -> Iterator[UpdatedImage]:
    """Images of an ImageUpdater object (Image Updater 1.0)."""
    spec = mapping(document.content.get("spec"))
    method = str(mapping(spec.get("writeBackConfig")).get("method") or "argocd").partition(":")[0]
    for reference in map(mapping, items(spec.get("applicationRefs"))):
        for one in map(mapping, items(reference.get("images"))):
            image, constraint = references.image(str(one.get("imageName") or ""))
            helm = mapping(mapping(one.get("manifestTargets")).get("helm"))
            settings = mapping(one.get("commonUpdateSettings")) or mapping(spec.get("commonUpdateSettings"))
            if image:
                yield UpdatedImage(
                    image=image,
                    application=str(reference.get("namePattern") or ""),
                    file=document.file,
                    constraint=constraint,
                    strategy=str(settings.get("updateStrategy") or "semver"),
                    tag_parameter=str(helm.get("tag") or ""),
                    write_back=method,
                )
