"""Compares a kustomization with a chart that replaces it, and finds what a sync with prune would delete."""

from __future__ import annotations

import posixpath
import re
import secrets
from collections.abc import Sequence
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
from stagegate.setup.migration import broken, inflated

_HASH = re.compile(r"-[bcdfghkmt2456789]{10}$")  # kustomize uses these characters
_DELETING = frozenset({"stateful-removed", "immutable-field", "stateful-shrunk", "crd-changed"})


class HelmMove(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared: a folder with a kustomization, and a chart with the values of the environment."""

    kustomization: str
    chart: str
    values: tuple[str, ...] = ()
    release: str = ""
    namespace: str = "default"


class MoveComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Both renderings compared. `unchanged` counts equal objects; `broken` are mistakes that prevent the build.

    `hashed` are generated objects of the kustomization, whose names end in a hash of their content.
    """

    difference: Difference = Difference()
    unchanged: int = 0
    risks: tuple[Risk, ...] = ()
    broken: tuple[Finding, ...] = ()
    hashed: tuple[str, ...] = ()

    @property
    def deleted(self) -> tuple[ObjectChange, ...]:
        """Objects that Argo CD would delete with prune, because the chart does not have them."""
        return tuple(change for change in self.difference.changes if change.change == "removed")

    @property
    def dangerous(self) -> tuple[Risk, ...]:
        """Risks of losing data, or of changes that Kubernetes refuses."""
        return tuple(risk for risk in self.risks if risk.kind in _DELETING)


def comparison(move: HelmMove, tree: Tree, folder: Path, options: Sequence[str] = ()) -> MoveComparison:
    """Render both and compare them. Stop where the chart cannot be rendered, or nothing can build the overlay.

    `options` are those that Argo CD gives to every build of a kustomization.
    """
    mistakes = tuple(broken.find(tree, clean(move.kustomization), options))
    if mistakes:
        return MoveComparison(broken=mistakes)
    destination = {"spec": {"destination": {"namespace": move.namespace}}}
    from_kustomization = in_destination(_kustomized(move, tree, options), destination)
    from_chart = in_destination(_charted(move, tree, folder), destination)
    difference = compare(from_kustomization, from_chart, secrets.token_bytes(16))
    touched = sum(change.change != "added" for change in difference.changes)
    return MoveComparison(
        difference=difference,
        unchanged=difference.objects[0] - touched,
        risks=risks(difference),
        hashed=tuple(sorted(change.label for change in difference.changes if _is_hashed(change))),
    )


def _is_hashed(change: ObjectChange) -> bool:
    """Whether it is an object with a hash in its name, which kustomize generated."""
    return (
        change.change == "removed"
        and change.kind in ("ConfigMap", "Secret")
        and bool(_HASH.search(change.name))
    )


def _kustomized(move: HelmMove, tree: Tree, options: Sequence[str]) -> tuple[RenderedObject, ...]:
    """The objects of the overlay. Charts that it inflates are inflated where they are in the repository."""

    def elsewhere(address: str, _: str) -> Tree:
        raise NotRendered(f"the kustomization names {address}")

    if inflated.inflates(tree, clean(move.kustomization)):
        options = tuple(dict.fromkeys([*options, "--enable-helm"]))

    def no_chart(source: ApplicationSource) -> bytes:
        raise NotRendered(f"the kustomization names the chart {source.chart}")

    try:
        return kustomize_source.render(
            tree,
            clean(move.kustomization),
            {},
            Around(tree=elsewhere, chart=no_chart, kustomize_options=tuple(options)),
        )
    except NotRendered as trouble:
        text = str(trouble)
        if " fetches " in text:
            raise Stop(
                "wrong-source",
                f"{move.kustomization} cannot be built from this repository alone.",
                f"{text}, and the content at this address may change during the comparison.",
                "Copy the content into the repository, and use the copy: `kustomize localize "
                f"{move.kustomization}` does both for a base, `helm pull --untar` fetches a chart.",
                file=text.partition(" fetches ")[0],
                line=broken.line_of(tree, text.partition(" fetches ")[0], text.partition(" fetches ")[2]),
            ) from trouble
        raise Stop(
            "missing-tool",
            f"{move.kustomization} cannot be built on this machine.",
            f"{text}.",
            "Install kustomize or kubectl, and helm where it inflates charts. Or render it yourself and compare by "
            "hand.",
        ) from trouble
    except Stop as stop:
        if stop.reason != "findings":
            raise
        file, line = broken.place(tree, clean(move.kustomization), stop.why)
        if not file:
            raise
        cure = f"Correct line {line} of {file}. {stop.next}"
        raise Stop(stop.reason, stop.what, stop.why, cure, file=file, line=line) from stop
    except StopIteration as trouble:
        raise Stop(
            "missing-file",
            f"The folder {move.kustomization} contains no kustomization.",
            "Kustomize builds a folder with a kustomization.yaml.",
            "Name the folder of the environment's overlay.",
        ) from trouble


def _charted(move: HelmMove, tree: Tree, folder: Path) -> tuple[RenderedObject, ...]:
    chart = clean(move.chart)
    if f"{chart}/Chart.yaml" not in tree.entries:
        raise Stop(
            "missing-file",
            f"The folder {move.chart} contains no chart.",
            "A chart needs a Chart.yaml.",
            "Run `helm create`, and move the templates into the new chart.",
        )
    files = []
    for name in move.values:
        content = tree.file(clean(name))
        if content is None:
            raise Stop(
                "missing-file",
                f"There is no {name}.",
                "The input names this file as a values file.",
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
