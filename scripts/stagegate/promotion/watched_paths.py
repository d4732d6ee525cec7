"""Every path of the pins repository that may decide what an environment runs, as the default branch has it."""

from __future__ import annotations

import posixpath

from stagegate.argocd_app.named_files import Named
from stagegate.clients.connections import Connections
from stagegate.difference import unpinned_documents
from stagegate.difference.side import Side
from stagegate.pins import files as pin_files
from stagegate.pins import pinned_version
from stagegate.pins.tree import PinsTree
from stagegate.promotion.app_state import AppState


def of(connections: Connections, state: AppState) -> Named:
    """The settings, pins, the folders that hold them, `guarded-paths`, and all that the Applications name.

    More than is judged in the end, never less: a change of any other path cannot matter. Raises NotRendered or a
    Stop where the files cannot be told.
    """
    settings = state.settings
    tree = PinsTree(contents=state.files, at=state.head)
    pins = pinned_version.pin_files(settings)
    files = {connections.config, *pins, *pinned_version.charts_beside(pins, settings)}
    files.add(settings.extends.rpartition("//")[2])
    folders = {posixpath.dirname(path) for path in pin_files.of(settings.environments)}
    watched = Named(
        files=frozenset(files - {""}),
        folders=frozenset(folders),
        patterns=frozenset((*settings.guarded_paths, "*.gitattributes")),
    )
    for environment in settings.environments:
        side = Side(connections, settings, state.base, environment, tree)
        named, values = side.named()
        watched = watched | named | values | Named(files=unpinned_documents.linked(side))
    return watched
