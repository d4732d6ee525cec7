"""One side of a change: every Application that an environment's pins deploy, with its sources rendered once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from stagegate.argocd_app import render_inputs, sources
from stagegate.argocd_app.named_files import Named
from stagegate.argocd_app.sets import expand
from stagegate.argocd_app.sources import ApplicationSource, mapping
from stagegate.argocd_app.tree import Tree
from stagegate.chart import objects
from stagegate.chart.objects import RenderedObject
from stagegate.clients.connections import Connections
from stagegate.difference import pieces, repositories, roots, set_expansion
from stagegate.difference.deployed import Deployed, Piece, in_destination
from stagegate.difference.manifests import application as manifests
from stagegate.difference.manifests.surroundings import Cluster
from stagegate.difference.own_sources import OurPlaces
from stagegate.difference.pins_files import PinsFiles
from stagegate.difference.roots import Root
from stagegate.pins.tree import PinsTree
from stagegate.settings import Environment, Settings

_DEEP = 5  # Applications that deploy Applications
_AT_ONCE = 2_000  # files that are read before rendering begins
_TOO_MANY = 300  # files that are looked through for Applications


class Side:
    """The Applications of one environment at one commit, with edits; what is rendered is kept."""

    def __init__(
        self,
        connections: Connections,
        settings: Settings,
        base: str,
        environment: Environment,
        files: PinsTree,
    ) -> None:
        self.files, self.settings, self.base = files, settings, base
        self.environment = environment
        self._address = f"{connections.pins.server_url}/{connections.pins.repository}"
        self.our_places = OurPlaces(
            addresses=(self._address, f"{connections.app.server_url}/{connections.app.repository}"),
            branch=base,
            settings=settings,
        )
        self.around = repositories.around(connections, settings, base, files)
        self.sets: dict[str, Mapping[str, Any]] = {}
        self.unclaimed: dict[str, Mapping[str, Any]] = {}  # what the sets make for no environment
        self._pieces: dict[tuple[str, int], Piece] = {}
        self._applications: dict[bool, dict[str, Deployed]] = {}
        self._roots: tuple[Root, ...] | None = None

    @property
    def tree(self) -> Tree:
        """The files of the pins repository on this side."""
        return self.around.tree(self._address, self.base)

    @property
    def pins_files(self) -> PinsFiles:
        """The sources of names for those files."""
        return PinsFiles(address=self._address, base=self.base, tree=self.tree)

    def roots(self, *, strict: bool = False) -> tuple[Root, ...]:
        """The documents in the pins' own files. With `strict`, Stop for unreadable pins."""
        if strict or self._roots is None:
            self._roots = roots.of(self.settings, self.environment, self.files.contents, strict=strict)
        return self._roots

    def applications(self, *, children: bool) -> dict[str, Deployed]:
        """Every Application by name; with `children` also those that others deploy, at any depth."""
        if children in self._applications:
            return self._applications[children]
        deployed: dict[str, Deployed] = {}
        queue: list[tuple[Mapping[str, Any], bool, int]] = [
            (root.document, root.own, 0) for root in self.roots() if root.kind in ("application", "set")
        ]
        while queue:
            document, own, depth = queue.pop(0)
            for one in self._expanded(document, own):
                if one.name in deployed:
                    continue
                deployed[one.name] = one
                if children and depth < _DEEP and not one.note:
                    queue += [(inner, False, depth + 1) for inner in self._children(one)]
        self._applications[children] = deployed
        return deployed

    def pieces(self) -> dict[tuple[str, int], Piece]:
        """Every source of every Application, rendered where that is possible."""
        made: dict[tuple[str, int], Piece] = {}
        self._read_together()
        for one in self.applications(children=True).values():
            listed = [source for source in sources.of(one.document) if source.renders]
            for source in listed or [ApplicationSource(kind="reference", address="", document={})]:
                made[(one.name, source.index)] = self._piece(one, source)
        for number, root in enumerate(root for root in self.roots() if root.kind == "folder"):
            made[(root.file, number)] = self._folder(root)
        return made

    def once_more(self) -> Iterator[RenderedObject]:
        """Objects of the charts of this side, rendered again."""
        for one in self.applications(children=True).values():
            for source in sources.of(one.document):
                piece = self._pieces.get((one.name, source.index))
                if piece is not None and piece.rendered and piece.random:
                    again = in_destination(
                        manifests.render_source(one.document, source, self.around), one.document
                    )
                    yield from (msgspec.structs.replace(each, application=one.name) for each in again)

    def asked_for(self) -> list[tuple[Cluster, frozenset[str]]]:
        """The cluster of each chart that depends on versions, and the versions that it depends on."""
        deployed = self.applications(children=True)
        return [
            (self.around.cluster(mapping(mapping(one.document.get("spec")).get("destination"))), piece.asks)
            for (name, _), piece in self._pieces.items()
            if piece.asks and (one := deployed.get(name)) is not None
        ]

    def objects(self) -> tuple[RenderedObject, ...]:
        """The plain objects in the pins' files."""
        return tuple(objects.read(root.document, root.file) for root in self.roots() if root.kind == "object")

    def named(self) -> tuple[Named, Named]:
        """The files of the pins repository that decide what is deployed, and those that only configure charts."""
        files, values = Named(), Named()
        with_children = self._may_have_children()
        for one in self.applications(children=with_children).values():
            for source in sources.of(one.document):
                more, configuring = self.pins_files.of_source(one.document, source)
                files, values = files | more, values | configuring
        for root in self.roots():
            if root.kind == "folder":
                files = files | self._of_folder(root)
            if root.kind == "set":
                files = files | self.pins_files.of_set(root.document)
        return files, values

    def _expanded(self, document: Mapping[str, Any], own: bool) -> Iterator[Deployed]:
        """An Application itself, or all that a set makes: with a note and its holes where it cannot be expanded."""
        name = set_expansion.name_of(document)
        if not expand.is_set(document):
            yield Deployed(name=name, document=document, own=own)
            return
        self.sets[name] = document
        made = set_expansion.expanded(document, self.environment, self.settings, self.around, own=own)
        self.unclaimed |= made.unclaimed
        yield from made.deployed

    def _children(self, one: Deployed) -> list[Mapping[str, Any]]:
        """Applications and sets among the objects of an Application."""
        objects = [
            rendered.body
            for source in sources.of(one.document)
            if source.renders
            for rendered in self._piece(one, source).objects
        ]
        return [body for body in objects if render_inputs.is_application(body) or expand.is_set(body)]

    def _read_together(self) -> None:
        """Read what all Applications name at once: few requests, however many there are."""
        tree, paths = self.tree, set()
        for one in self.applications(children=False).values():
            for source in sources.of(one.document):
                paths.update(self.pins_files.of_source(one.document, source)[0].paths(tree))
        tree.read(sorted(paths)[:_AT_ONCE])

    def _of_folder(self, root: Root) -> Named:
        content = self.files.contents.get(root.file) or b""
        return self.pins_files.of_folder(root, content, self.settings, self.environment)

    def _may_have_children(self) -> bool:
        """Whether a file that is deployed has an Application in it, as text."""
        tree = self.tree
        for one in self.applications(children=False).values():
            for source in sources.of(one.document):
                paths = [
                    path
                    for path in self.pins_files.of_source(one.document, source)[0].paths(tree)
                    if path.endswith((".yaml", ".yml", ".json", ".tpl"))
                ]
                if len(paths) > _TOO_MANY or any(
                    b"argoproj.io/" in data for data in tree.read(paths).values()
                ):
                    return True
        return False

    def _piece(self, one: Deployed, source: ApplicationSource) -> Piece:
        key = (one.name, source.index)
        if key not in self._pieces:
            self._pieces[key] = pieces.of_source(one, source, self.pins_files, self.around)
        return self._pieces[key]

    def _folder(self, root: Root) -> Piece:
        """A chart or kustomization that is a pin itself."""
        key = (root.file, -1)
        if key not in self._pieces:
            self._pieces[key] = pieces.of_folder(root, self._of_folder(root), self.tree, self.around)
        return self._pieces[key]
