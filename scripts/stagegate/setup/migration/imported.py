"""What Argo CD Image Updater and release-please have in a repository that stagegate takes over. Pure."""

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
        hints.append("Argo CD Image Updater is set up here: `stagegate import` converts its configuration.")
    if packages:
        hints.append("release-please is set up here: `stagegate import` converts its configuration.")
    return Imported(
        images=tuple(dict.fromkeys(one.image for one in updated)),
        tag_values={one.image: one.tag_parameter for one in updated if one.tag_parameter},
        packages=packages,
        notes=(*image_updater.notes(updated, survey.branch), *notes),
        hints=tuple(hints),
    )


def applied(proposals: Sequence[AppProposal], imported: Imported) -> tuple[AppProposal, ...]:
    """The proposals with what other tools say of them."""
    return tuple(_applied(one, imported, len(proposals) == 1) for one in proposals)


def _applied(one: AppProposal, imported: Imported, only: bool) -> AppProposal:
    value = next((imported.tag_values[image] for image in one.images if image in imported.tag_values), "")
    if value and not one.tag_value and (one.chart_path or one.chart_reference):
        one = msgspec.structs.replace(one, tag_value=value)
    package = next((package for package in imported.packages if _is_of(package, one, only)), None)
    if package is None or one.source:
        return one
    return msgspec.structs.replace(
        one,
        tag_prefix=package.tag_prefix,
        version_files=package.files or one.version_files,
        changelog=package.changelog,
        version=one.version or package.version,
        paths=one.paths or ((f"{package.path}/**",) if one.several and package.path else ()),
    )


def _is_of(package: ReleasedPackage, one: AppProposal, only: bool) -> bool:
    """Whether a package is an app: by its folder or name, or because there is one of each."""
    name = package.path.rpartition("/")[2]
    return (
        one.name in (package.component, name)
        or (bool(one.app.folder) and one.app.folder == package.path)
        or (only and package.path == "")
    )
