"""The rendered objects of one source of an Application, or of one pinned folder, or why there are none."""

from __future__ import annotations

import msgspec

from stagegate.argocd_app.named_files import Named
from stagegate.argocd_app.sources import ApplicationSource
from stagegate.argocd_app.tree import Tree
from stagegate.difference import roots
from stagegate.difference.deployed import Deployed, Piece, in_destination
from stagegate.difference.manifests import application as manifests
from stagegate.difference.manifests import helm_source, kustomize_source
from stagegate.difference.manifests.surroundings import Around, NotRendered
from stagegate.difference.pins_files import PinsFiles
from stagegate.difference.roots import Root
from stagegate.errors import Stop
from stagegate.pins import files as pin_files

_PERSON = ("missing-tool", "missing-permission", "wrong-source")  # only a person can set these right


def of_source(one: Deployed, source: ApplicationSource, pins_files: PinsFiles, around: Around) -> Piece:
    """One source of an Application, rendered where that is possible. Stop for what only a person can set right."""
    files, values = pins_files.of_source(one.document, source)
    piece = Piece(
        application=one.name,
        index=source.index,
        own=one.own,
        source=source.document,
        kind=source.kind,
        files=files,
        values=values,
        note=one.note,
    )
    if one.note:
        return piece
    try:
        made = manifests.render_source(one.document, source, around)
        asks, random = helm_source.asked_for(source, around)
    except NotRendered as note:
        return msgspec.structs.replace(piece, note=str(note))
    except Stop as stop:
        if stop.reason in _PERSON:
            raise
        return msgspec.structs.replace(piece, stop=stop)
    return msgspec.structs.replace(
        piece, objects=in_destination(made, one.document), asks=asks, random=random
    )


def of_folder(root: Root, files: Named, tree: Tree, around: Around) -> Piece:
    """A chart or kustomization that is a pin itself; `files` are what it names."""
    is_kustomization = roots.is_kustomization(root)
    piece = Piece(
        application=root.file,
        index=-1,
        own=True,
        source={},
        kind="kustomization" if is_kustomization else "chart",
        files=files,
        values=Named(),
    )
    if not is_kustomization:
        note = "no pin of this environment is an Argo CD Application"
        return msgspec.structs.replace(piece, note=note)
    try:
        objects = kustomize_source.render(tree, pin_files.folder(root.file) or "", {}, around)
    except NotRendered as reason:
        return msgspec.structs.replace(piece, note=str(reason))
    except Stop as stop:
        return msgspec.structs.replace(piece, stop=stop)
    return msgspec.structs.replace(piece, objects=objects)
