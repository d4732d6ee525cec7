"""Uncertain parts of a rendering: values that are new each time, APIs that the cluster may have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from stagegate.chart.objects import RenderedObject
from stagegate.difference.manifests.helm_source import KUBE_VERSION
from stagegate.difference.side import Side
from stagegate.difference.values import Difference

_BUILT_IN = re.compile(
    r"v\d|(?:apps|batch|autoscaling|policy|extensions)/|[\w.-]+\.k8s\.io/|internal\.apiserver"
)


def noted(difference: Difference, side: Side, objects: Sequence[RenderedObject]) -> Difference:
    """The difference with sentences about both."""
    notes = (*_clusters(side), *_unknown_apis(side), *_random(difference, side, objects))
    return msgspec.structs.replace(difference, notes=(*difference.notes, *notes)) if notes else difference


def _unknown_apis(side: Side) -> Iterator[str]:
    wanted = {api for cluster, asks in side.asked_for() if cluster.api_versions is None for api in asks}
    if wanted := {api for api in wanted if not _BUILT_IN.match(api) and api != KUBE_VERSION}:
        yield (
            "The manifests are rendered as if the cluster did not have "
            f"{', '.join(sorted(wanted))}, but a chart checks .Capabilities.APIVersions for it. "
            "List the API versions of the cluster under `render.api-versions`, or pass an "
            "`argocd-token`."
        )
    if any(not cluster.kube_version and KUBE_VERSION in asks for cluster, asks in side.asked_for()):
        yield (
            "The chart was rendered for the default Kubernetes version of helm on this machine, and it reads the "
            "cluster's version from .Capabilities.KubeVersion. Write your cluster's version under "
            "`render.kube-version`, or pass an `argocd-token`."
        )


def _clusters(side: Side) -> Iterator[str]:
    """The origins of the cluster versions that charts were rendered for."""
    yield from dict.fromkeys(cluster.origin for cluster, _ in side.asked_for() if cluster.origin)


def _random(difference: Difference, side: Side, objects: Sequence[RenderedObject]) -> Iterator[str]:
    """Objects that come out otherwise when the same side is rendered once more."""
    if not any(one.change == "changed" for one in difference.changes):
        return
    first = {(one.application, *one.key): one.digest for one in objects}
    other = sorted(
        {
            one.label
            for one in side.once_more()
            if first.get((one.application, *one.key)) not in (None, one.digest)
        }
    )
    if other:
        yield (
            "These objects have random content each time they are rendered, also in Argo CD: "
            f"{', '.join(other[:5])}. Differences in the random content do not come from this pull "
            "request."
        )
