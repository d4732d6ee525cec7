"""What changes in the sources of Applications themselves, besides what is rendered from them.

Allow-lists: a field that no rendering takes into account, and an address or revision that is not certainly ours, is
a risk whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from stagegate.argocd_app import sources
from stagegate.argocd_app.exact_address import is_exact
from stagegate.argocd_app.sources import ApplicationSource, mapping
from stagegate.difference import fields
from stagegate.difference.risks import Risk
from stagegate.pins import changes, ownership, templates
from stagegate.settings import Settings

_RENDERED: Mapping[str, frozenset[str]] = {
    "helm": frozenset(
        (
            "valueFiles", "values", "valuesObject", "parameters", "fileParameters", "releaseName", "namespace",
            "ignoreMissingValueFiles", "skipCrds", "skipTests", "skipSchemaValidation", "kubeVersion",
            "apiVersions",
        )
    ),
    "kustomize": frozenset(
        (
            "images", "replicas", "patches", "components", "namePrefix", "nameSuffix", "namespace", "commonLabels",
            "commonAnnotations", "commonAnnotationsEnvsubst", "forceCommonLabels", "forceCommonAnnotations",
            "labelWithoutSelector", "labelIncludeTemplates",
            "ignoreMissingComponents",
        )
    ),
    "directory": frozenset(("recurse", "include", "exclude", "jsonnet")),
}  # fmt: skip
_SEEN = frozenset(("repoURL", "targetRevision", "path", "chart", "ref", "name", *_RENDERED))


class OurPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses of the app's and the pins' repository, the default branch, and the settings."""

    addresses: tuple[str, ...]
    branch: str
    settings: Settings


def risks(
    label: str, old: Mapping[str, Any] | None, new: Mapping[str, Any], places: OurPlaces
) -> Iterator[Risk]:
    """The risks in the sources of an Application that was `old`; None for a new one."""
    before = [_unseen(one) for one in sources.of(old)] if old else []
    after = [_unseen(one) for one in sources.of(new)]
    for field in fields.changed({"sources": before}, {"sources": after}):
        if any(before) or any(after):
            detail = f"{field.path} changes from {field.before or 'nothing'} to {field.after or 'nothing'}"
            yield Risk(
                kind="not-rendered",
                object=label,
                detail=f"{detail}, and its effect on the cluster is not rendered",
            )
    previous_places = {_place(one) for one in sources.of(old)} if old else set()
    addresses = {one.address for one in sources.of(old)} if old else set()
    for one in sources.of(new):
        if _place(one) in previous_places or not one.address:
            continue
        if one.address not in addresses and not _is_ours(one, places):
            detail = f"takes files from {one.address}, which may not be a repository of this app"
            yield Risk(kind="foreign", object=label, detail=detail)
        if one.kind in ("git", "reference") and not _is_settled(one, places):
            detail = f"deploys from {one.revision}, which is neither {places.branch} nor a release tag"
            yield Risk(kind="moving", object=label, detail=detail)


def _unseen(source: ApplicationSource) -> dict[str, Any]:
    """The fields of a source that no rendering takes into account."""
    unseen = {key: value for key, value in source.document.items() if key not in _SEEN}
    for tool, rendered in _RENDERED.items():
        unrendered = {
            key: value for key, value in mapping(source.document.get(tool)).items() if key not in rendered
        }
        unseen |= {tool: unrendered} if unrendered else {}
    return unseen


def _place(source: ApplicationSource) -> tuple[str, str]:
    return source.address, source.revision


def _is_ours(source: ApplicationSource, places: OurPlaces) -> bool:
    if source.kind in ("registry", "repository"):
        return ownership.is_our_chart(source.address, source.chart, places.settings)
    return any(is_exact(source.address, one) for one in places.addresses)


def _is_settled(source: ApplicationSource, places: OurPlaces) -> bool:
    """Whether a revision is the default branch, or names a release as a pin does: only a promotion moves that."""
    if changes.is_branch(source.revision, places.branch):
        return True
    where = source.address, places.settings
    is_pin = (
        ownership.is_our_repository(*where)
        if source.kind == "reference"
        else ownership.is_our_chart_folder(source.address, source.path, places.settings)
    )
    return is_pin and bool(templates.guess(source.revision, "git-revision", places.settings))
