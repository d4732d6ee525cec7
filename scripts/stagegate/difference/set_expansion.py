"""The Applications that an ApplicationSet of the pins makes, and which belong to the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stagegate.argocd_app.sets import expand
from stagegate.argocd_app.sets.parameters import NotExpandable
from stagegate.argocd_app.sets.surroundings import KnownCluster, Surroundings
from stagegate.argocd_app.sources import mapping
from stagegate.difference.deployed import Deployed
from stagegate.difference.manifests.surroundings import Around, NotRendered
from stagegate.errors import Stop
from stagegate.settings import Environment, Settings


class SetApplications(msgspec.Struct, frozen=True, kw_only=True):
    """The Applications of a set that are an environment's, and by name those that are no environment's."""

    deployed: tuple[Deployed, ...]
    unclaimed: Mapping[str, Mapping[str, Any]] = {}


def expanded(
    document: Mapping[str, Any], environment: Environment, settings: Settings, around: Around, *, own: bool
) -> SetApplications:
    """The Applications of a set. If it cannot be expanded: its template, and a note with the reason."""
    name = name_of(document)
    template = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        **mapping(mapping(document.get("spec")).get("template")),
    }

    def unknown(note: str) -> Deployed:
        return Deployed(name=f"{name}/*", document=template, own=own, note=note)

    try:
        made = expand.expand(document, _surroundings(settings, around))
    except (NotExpandable, NotRendered) as reason:
        return SetApplications(deployed=(unknown(f"{name} depends on {reason}"),))
    except Stop as stop:
        return SetApplications(
            deployed=(unknown(f"the ApplicationSet {name} cannot be expanded: {stop.what}"),)
        )
    troubled = (unknown(f"Argo CD cannot expand {name}: {made.errors[0]}"),) if made.errors else ()
    named = set(environment.argo.application_names) if own else set()
    listed = [one for one in made.applications if name_of(one) in named] or made.applications
    claimed = {one for place in settings.environments for one in place.argo.application_names}
    left = [one for one in made.applications if name_of(one) not in claimed]
    return SetApplications(
        deployed=(*troubled, *(Deployed(name=name_of(one), document=one, own=own) for one in listed)),
        unclaimed={name_of(one): one for one in left if one not in listed},
    )


def name_of(document: Mapping[str, Any]) -> str:
    """The name of an object; nothing where it has none."""
    return str(mapping(document.get("metadata")).get("name") or "")


def _surroundings(settings: Settings, around: Around) -> Surroundings:
    declared = settings.render.clusters
    clusters = (
        None
        if declared is None
        else tuple(
            KnownCluster(
                name=one.name,
                server=one.server,
                labels={"argocd.argoproj.io/secret-type": "cluster", **one.labels},
                annotations=one.annotations,
                project=one.project,
            )
            for one in declared
        )
    )
    return Surroundings(tree=around.tree, clusters=clusters)
