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
    """Every image that is followed in this repository."""
    return tuple(one for document in survey.documents for one in _of(document))


def notes(updated: Sequence[UpdatedImage], branch: str = "main") -> tuple[str, ...]:
    """What is taken over, what has no counterpart, and what has to be taken out; `branch` is the default branch."""
    return tuple(dict.fromkeys(_notes(updated, branch)))


def _notes(updated: Sequence[UpdatedImage], branch: str) -> Iterator[str]:
    for one in updated:
        who = f"{one.application or 'An Application'} ({one.file})"
        if one.write_back == "argocd":
            yield (
                f"{who}: Image Updater writes {one.image} into the cluster only. Write the version that runs "
                "into Git, as a parameter of the Application; that is the pin."
            )
        yield from (f"{who}: {text}" for text in _of_writing(one, branch))
        if one.strategy == "digest":
            yield (
                f"{who}: the strategy digest follows the tag {one.constraint or 'latest'}, whatever it points to. "
                "stagegate promotes versions: pin the version that runs, or its digest."
            )
        elif one.strategy != "semver":
            yield (
                f"{who}: the strategy {one.strategy} follows what is newest in the registry. stagegate promotes "
                "versions that passed the environment before."
            )
        if one.filters:
            yield (
                f"{who}: {' and '.join(one.filters)} have no counterpart in stagegate. It promotes only "
                "the tags of releases, which image-tags writes in the form that the key `image-tag` names."
            )
        if one.constraint and one.strategy == "semver":
            yield (
                f"{who}: the constraint {one.constraint} has no counterpart in stagegate. `prereleases` allows "
                "pre-releases, and `/ban` excludes a single version."
            )
    for file in dict.fromkeys(one.file for one in updated):
        yield (
            f"Take Image Updater's configuration out of {file} in the commit that adopts stagegate: both would "
            "move the same version."
        )


def _of_writing(one: UpdatedImage, branch: str) -> Iterator[str]:
    """Where the version is written, where stagegate has to look for it elsewhere."""
    if one.whole_parameter:
        yield (
            f"the parameter {one.whole_parameter} has the whole reference of {one.image}. A promotion moves its "
            'tag there: name it in `pins`, as {file: ..., path: ..., value: "' + one.image + ':{tag}"}.'
        )
    if one.write_back == "git" and one.repository:
        yield f"Image Updater commits to {one.repository}. Adopt stagegate there: its pins are there."
    written = one.branch.rpartition(":")[2]
    if one.write_back == "git" and written not in ("", branch):
        yield (
            f"Image Updater commits to the branch {written}. Pins move on {branch}: merge its commits "
            f"before, and let the Application follow {branch}."
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
    method = given.get("write-back-method", "argocd").partition(":")[0]
    for entry in filter(None, (one.strip() for one in given.get("image-list", "").split(","))):
        alias, equals, rest = entry.partition("=")
        image, constraint = references.image(rest if equals else entry)
        # A key of an annotation has no second slash, so that the name has `_` there.
        key = (alias if equals else entry.partition(":")[0]).replace("/", "_")
        whole = given.get(f"{key}.helm.image-spec", "")
        filters = tuple(
            name for name in ("allow-tags", "ignore-tags") if f"{key}.{name}" in given or name in given
        )
        yield UpdatedImage(
            image=image,
            application=str(metadata.get("name") or ""),
            file=document.file,
            constraint=constraint,
            strategy=_strategy(given.get(f"{key}.update-strategy") or given.get("update-strategy")),
            tag_parameter="" if whole else given.get(f"{key}.helm.image-tag", ""),
            whole_parameter=whole,
            filters=filters,
            write_back=method,
            branch=given.get("git-branch", ""),
            repository=given.get("git-repository", ""),
        )


def _strategy(given: object) -> str:
    """The strategy by its name of today; Image Updater takes an unknown one for semver."""
    name = {"latest": "newest-build", "name": "alphabetical"}.get(str(given), str(given))
    return name if name in ("semver", "newest-build", "alphabetical", "digest") else "semver"


def _declared(document: Document) -> Iterator[UpdatedImage]:
    """Images of an ImageUpdater object (Image Updater 1.0). What an Application's entry has wins."""
    spec = mapping(document.content.get("spec"))
    for reference in map(mapping, items(spec.get("applicationRefs"))):
        writing = {**mapping(spec.get("writeBackConfig")), **mapping(reference.get("writeBackConfig"))}
        git = {
            **mapping(mapping(spec.get("writeBackConfig")).get("gitConfig")),
            **mapping(mapping(reference.get("writeBackConfig")).get("gitConfig")),
        }
        for one in map(mapping, items(reference.get("images"))):
            image, constraint = references.image(str(one.get("imageName") or ""))
            helm = mapping(mapping(one.get("manifestTargets")).get("helm"))
            settings: dict[str, Any] = {}
            for place in (spec, reference, one):
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
