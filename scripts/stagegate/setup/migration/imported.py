"""Imports the configuration of Argo CD Image Updater and release-please. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from stagegate.argocd_app.tree import Tree
from stagegate.setup.migration import image_updater, release_please
from stagegate.setup.migration.release_please import ReleasedPackage
from stagegate.setup.proposed import AppProposal
from stagegate.setup.survey import Survey


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    `images` and `tag_values` (by image) are of Image Updater, `packages` of release-please. `notes` say what was
    taken over and what has to be taken out, `hints` that there is something to import.
    """

    images: tuple[str, ...] = ()
    tag_values: Mapping[str, str] = {}
    packages: tuple[ReleasedPackage, ...] = ()
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


def read(survey: Survey, tree: Tree) -> Imported:
    """Everything that can be imported from a repository."""
    updated = image_updater.read(survey)
    packages, notes = release_please.read(survey, tree)
    hints = []
    if updated:
        hints.append(
            "This repository uses Argo CD Image Updater. `stagegate import` converts the configuration "
            "of Image Updater."
        )
    if packages:
        hints.append(
            "This repository uses release-please. `stagegate import` converts the configuration of "
            "release-please."
        )
    return Imported(
        images=tuple(dict.fromkeys(updated_image.image for updated_image in updated)),
        tag_values={
            updated_image.image: updated_image.tag_parameter
            for updated_image in updated
            if updated_image.tag_parameter
        },
        packages=packages,
        notes=(*image_updater.notes(updated, survey.branch), *notes),
        hints=tuple(hints),
    )


def applied(proposals: Sequence[AppProposal], imported: Imported) -> tuple[AppProposal, ...]:
    """The proposals with the imported configuration."""
    return tuple(_applied(proposal, imported, len(proposals) == 1) for proposal in proposals)


def _applied(proposal: AppProposal, imported: Imported, only: bool) -> AppProposal:
    value = next(
        (imported.tag_values[image] for image in proposal.images if image in imported.tag_values), ""
    )
    if value and not proposal.tag_value and (proposal.chart_path or proposal.chart_reference):
        proposal = msgspec.structs.replace(proposal, tag_value=value)
    package = next((package for package in imported.packages if _is_of(package, proposal, only)), None)
    if package is None or proposal.source:
        return proposal
    return msgspec.structs.replace(
        proposal,
        tag_prefix=package.tag_prefix,
        version_files=package.files or proposal.version_files,
        changelog=package.changelog,
        version=proposal.version or package.version,
        paths=proposal.paths or ((f"{package.path}/**",) if proposal.several and package.path else ()),
    )


def _is_of(package: ReleasedPackage, proposal: AppProposal, only: bool) -> bool:
    """Whether a package is that app: by folder or name, or because there is only one of each."""
    name = package.path.rpartition("/")[2]
    return (
        proposal.name in (package.component, name)
        or (bool(proposal.app.folder) and proposal.app.folder == package.path)
        or (only and package.path == "")
    )
