"""What a rendering cannot be trusted in: values that are new each time, APIs that the cluster may have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from stagegate.chart.objects import RenderedObject
from stagegate.difference.side import Side
from stagegate.difference.values import Difference

_BUILT_IN = re.compile(
    r"v\d|(?:apps|batch|autoscaling|policy|extensions)/|[\w.-]+\.k8s\.io/|internal\.apiserver"
)


def noted(found: Difference, side: Side, objects: Sequence[RenderedObject]) -> Difference:
    """The difference with sentences about both."""
    notes = (*_unknown_apis(side), *_random(found, side, objects))
    return msgspec.structs.replace(found, notes=(*found.notes, *notes)) if notes else found


def _unknown_apis(side: Side) -> Iterator[str]:
    if side.settings.render.api_versions is not None:
        return
    wanted = sorted(api for api in side.asked_for() if not _BUILT_IN.match(api))
    if wanted:
        yield (
            f"Rendered as if the cluster did not have {', '.join(wanted)}, which a chart asks for with "
            ".Capabilities.APIVersions: name what it has under `render.api-versions`."
        )


def _random(found: Difference, side: Side, objects: Sequence[RenderedObject]) -> Iterator[str]:
    """Objects that come out otherwise when the same side is rendered once more."""
    if not any(one.change == "changed" for one in found.changes):
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
            f"Random each time it is rendered: {', '.join(other[:5])}. What changes in it is no change of this "
            "pull request; Argo CD renders it anew as well."
        )
