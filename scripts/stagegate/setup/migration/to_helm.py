"""From a kustomization to a chart: both rendered and compared, and what a sync with prune would delete."""

from __future__ import annotations

import posixpath
import secrets
from pathlib import Path

import msgspec

from stagegate.argocd_app.inputs import RenderInputs, ValuesFile
from stagegate.argocd_app.sources import ApplicationSource
from stagegate.argocd_app.tree import Tree, clean
from stagegate.chart import render as chart_render
from stagegate.chart.objects import RenderedObject
from stagegate.difference import Difference, ObjectChange, Risk, compare, risks
from stagegate.difference.deployed import in_destination
from stagegate.difference.manifests import kustomize_source
from stagegate.difference.manifests.surroundings import Around, NotRendered
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.setup.migration import broken

_DELETING = frozenset({"stateful-removed", "immutable-field", "stateful-shrunk", "crd-changed"})


class HelmMove(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared: a folder with a kustomization, and a chart with the values of the environment."""

    kustomization: str
    chart: str
    values: tuple[str, ...] = ()
    release: str = ""
    namespace: str = "default"


class MoveComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Both renderings compared. `kept` objects are the same; `broken` is why the kustomization does not build."""

    difference: Difference = Difference()
    kept: int = 0
    risks: tuple[Risk, ...] = ()
    broken: tuple[Finding, ...] = ()

    @property
    def deleted(self) -> tuple[ObjectChange, ...]:
        """Objects that Argo CD would delete with prune, because the chart has none of that name."""
        return tuple(one for one in self.difference.changes if one.change == "removed" or one.was)

    @property
    def dangerous(self) -> tuple[Risk, ...]:
        """What would lose data, or cannot be applied over what is there."""
        return tuple(one for one in self.risks if one.kind in _DELETING)


def comparison(move: HelmMove, tree: Tree, folder: Path) -> MoveComparison:
    """Render both and compare them. Stop where the chart cannot be rendered, or nothing can build the overlay."""
    mistakes = tuple(broken.find(tree, clean(move.kustomization)))
    if mistakes:
        return MoveComparison(broken=mistakes)
    destination = {"spec": {"destination": {"namespace": move.namespace}}}
    old = in_destination(_kustomized(move, tree), destination)
    new = in_destination(_charted(move, tree, folder), destination)
    difference = compare(old, new, secrets.token_bytes(16))
    gone = {(one.kind, one.name) for one in difference.changes if one.change == "removed"}
    changed = sum(one.change == "changed" for one in difference.changes)
    kept = len(old) - changed - len(gone) - sum(bool(one.was) for one in difference.changes)
    return MoveComparison(difference=difference, kept=max(kept, 0), risks=risks(difference))


def _kustomized(move: HelmMove, tree: Tree) -> tuple[RenderedObject, ...]:
    def elsewhere(address: str, _: str) -> Tree:
        raise NotRendered(f"it names {address}")

    def no_chart(source: ApplicationSource) -> bytes:
        raise NotRendered(f"it names the chart {source.chart}")

    try:
        return kustomize_source.render(
            tree, clean(move.kustomization), {}, Around(tree=elsewhere, chart=no_chart)
        )
    except NotRendered as trouble:
        raise Stop(
            "missing-tool",
            f"{move.kustomization} cannot be built here.",
            f"{trouble}.",
            "Install kustomize or kubectl, or render it yourself and compare by hand.",
        ) from trouble
    except StopIteration as trouble:
        raise Stop(
            "missing-file",
            f"There is no kustomization in {move.kustomization}.",
            "Kustomize builds a folder with a kustomization.yaml.",
            "Name the folder of the environment's overlay.",
        ) from trouble


def _charted(move: HelmMove, tree: Tree, folder: Path) -> tuple[RenderedObject, ...]:
    chart = clean(move.chart)
    if f"{chart}/Chart.yaml" not in tree.entries:
        raise Stop(
            "missing-file",
            f"There is no chart in {move.chart}.",
            "It needs a Chart.yaml.",
            "Begin with `helm create`, and move the templates there.",
        )
    files = []
    for name in move.values:
        content = tree.file(clean(name))
        if content is None:
            raise Stop(
                "missing-file",
                f"There is no {name}.",
                "The input names it as a values file.",
                "Correct the path.",
            )
        files.append(ValuesFile(name=name, content=content))
    inputs = RenderInputs(
        release_name=move.release or posixpath.basename(chart),
        namespace=move.namespace,
        values=tuple(files),
        include_tests=False,
    )
    return chart_render.render(folder / chart, inputs, where=move.chart)
