"""The deployed Applications, and the rendered objects of each of their sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stagegate.argocd_app import render_inputs
from stagegate.argocd_app.named_files import Named
from stagegate.chart.objects import RenderedObject
from stagegate.errors import Stop


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """An Application as a side has it. `own`: its pins are the environment's; `note`: why it is not known fully."""

    name: str
    document: Mapping[str, Any]
    own: bool
    note: str = ""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """The rendered objects of one source of an Application, or why there are none.

    `files` are those of the pins repository that decide it, `values` those among them that only configure a chart.
    `asks`: API versions that its chart asks the cluster for; `random`: it uses values that are new each time.
    """

    application: str
    index: int
    own: bool
    source: Mapping[str, Any]
    kind: str
    files: Named
    values: Named
    objects: tuple[RenderedObject, ...] = ()
    note: str = ""
    stop: Stop | None = None
    asks: frozenset[str] = frozenset()
    random: bool = False

    @property
    def rendered(self) -> bool:
        """Whether its objects are known."""
        return not self.note and self.stop is None


Pieces = Mapping[tuple[str, int], Piece]  # by the name of the Application and the number of the source


def in_destination(
    objects: tuple[RenderedObject, ...], document: Mapping[str, Any]
) -> tuple[RenderedObject, ...]:
    """Objects of an Application; a namespace that is its destination's is as good as none."""
    namespace = render_inputs.destination_namespace(document)
    return tuple(
        _without_namespace(one) if namespace and one.namespace == namespace else one for one in objects
    )


def _without_namespace(one: RenderedObject) -> RenderedObject:
    metadata = {key: value for key, value in one.body["metadata"].items() if key != "namespace"}
    return msgspec.structs.replace(one, namespace="", body={**one.body, "metadata": metadata})
