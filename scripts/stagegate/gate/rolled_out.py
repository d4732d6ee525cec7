"""Judges whether workloads are rolled out with the release's images, as `kubectl rollout status` does. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from stagegate.argocd_app.json_fields import mapping, rows, text
from stagegate.gate import images
from stagegate.gate.expected import Expected
from stagegate.gate.images import PodImage
from stagegate.gate.plan import DEADLINE, Observed
from stagegate.gate.rollout_reasons import Objection
from stagegate.model import DIGEST, Image, full_name

Json = dict[str, Any]


class WorkloadsFound(msgspec.Struct, frozen=True, kw_only=True):
    """The workloads of an environment in one reading, and the names of missing ones."""

    workloads: tuple[Json, ...] = ()
    missing: tuple[str, ...] = ()


def observation(
    workloads: WorkloadsFound,
    expected: Expected,
    release: Sequence[Image],
    tags: Sequence[str],
    relatives: Callable[[str, str], bool],
) -> Observed:
    """The first objection to these workloads, and how long it is tolerated. Pure."""
    reason, detail = next(_objections(workloads, expected, release, tags, relatives), ("ready", ""))
    limit = None
    if reason == "degraded":
        limit = min(max(expected.settle, DEADLINE), expected.degraded_after)
    names = ", ".join(_name(workload) for workload in workloads.workloads)
    return Observed(
        reason=reason, detail=detail or f"{names} rolled out", limit=limit, settle=expected.settle
    )


def _objections(
    workloads: WorkloadsFound,
    expected: Expected,
    release: Sequence[Image],
    tags: Sequence[str],
    relatives: Callable[[str, str], bool],
) -> Iterator[Objection]:
    by_name = {full_name(image.reference): image for image in release}
    if workloads.missing:
        yield "missing", f"{', '.join(workloads.missing)} does not exist"
    current = False
    for workload in workloads.workloads:
        written = list(images_of(workload, set(by_name)))
        outdated = [
            image
            for image in written
            if not _is_current(image, by_name[full_name(image.repository)], tags, relatives)
        ]
        if outdated and workload["kind"] == "Job":
            continue  # a Job of an earlier release never changes
        if outdated:
            yield "old-revision", f"{_name(workload)} has {outdated[0].written}"
        current = current or bool(written)
        yield from _rolled_out(workload, accepts_suspended=expected.accepts_suspended)
    if not current:
        yield "missing", "no workload runs an image of the release"


def _is_current(
    image: PodImage, recorded: Image, tags: Sequence[str], relatives: Callable[[str, str], bool]
) -> bool:
    pinned = DIGEST.search(image.written.partition("@")[2])
    return relatives(recorded.reference, pinned[0]) if pinned else image.tag in tags


def _rolled_out(workload: Json, *, accepts_suspended: bool) -> Iterator[Objection]:
    metadata, spec, status = (mapping(workload, key) for key in ("metadata", "spec", "status"))
    name, kind = _name(workload), workload["kind"]
    if metadata.get("deletionTimestamp"):
        yield "progressing", f"{name} is being deleted; it is not known yet whether it is created again"
    if kind == "CronJob":
        return
    if kind == "Job":
        yield from _job(name, spec, status, accepts_suspended=accepts_suspended)
        return
    if _number(status, "observedGeneration") < _number(metadata, "generation"):
        yield (
            "progressing",
            f"{name}: the controller of the workload has not seen generation {metadata.get('generation')}",
        )
    if spec.get("paused") is True and not _is_complete(kind, spec, status):
        yield "suspended", f"{name} is paused"
    for condition in rows(status.get("conditions")):
        if text(condition, "reason") == "ProgressDeadlineExceeded" and condition.get("status") == "False":
            yield "degraded", f"{name} exceeded its progress deadline"
    if not _is_complete(kind, spec, status):
        yield "progressing", f"{name}: {_progress(kind, spec, status)}"


def _job(name: str, spec: Json, status: Json, *, accepts_suspended: bool) -> Iterator[Objection]:
    conditions = {text(c, "type"): c for c in rows(status.get("conditions")) if c.get("status") == "True"}
    if "Failed" in conditions:
        message = text(conditions["Failed"], "message") or text(conditions["Failed"], "reason")
        yield "degraded", f"{name} failed: {message}"
    if spec.get("suspend") is True:
        if not accepts_suspended:
            yield "suspended", f"{name} is suspended"
    elif "Complete" not in conditions:
        yield "progressing", f"{name}: {_number(status, 'active')} pods run"


def _is_complete(kind: str, spec: Json, status: Json) -> bool:
    if kind == "DaemonSet":
        scheduled = _number(status, "desiredNumberScheduled")
        updated = _number(status, "updatedNumberScheduled")
        if text(mapping(spec, "updateStrategy"), "type") == "OnDelete":
            updated = scheduled  # its pods are judged by their images
        return updated >= scheduled and _number(status, "numberAvailable") >= scheduled
    scheduled = _number(spec, "replicas", 1)
    updated, available = _number(status, "updatedReplicas"), _number(status, "availableReplicas")
    if kind == "Deployment":
        return updated >= scheduled and _number(status, "replicas") <= updated and available >= scheduled
    strategy = mapping(spec, "updateStrategy")
    partition = _number(mapping(strategy, "rollingUpdate"), "partition")
    available = (
        max(available, _number(status, "readyReplicas")) if "availableReplicas" not in status else available
    )
    if text(strategy, "type") == "OnDelete":
        return available >= scheduled
    moved = bool(partition) or text(status, "currentRevision") == text(status, "updateRevision")
    return updated >= scheduled - partition and available >= scheduled and moved


def _progress(kind: str, spec: Json, status: Json) -> str:
    if kind == "DaemonSet":
        scheduled = _number(status, "desiredNumberScheduled")
        return (
            f"{_number(status, 'updatedNumberScheduled')} of {scheduled} pods updated, "
            f"{_number(status, 'numberAvailable')} available"
        )
    outdated = max(0, _number(status, "replicas") - _number(status, "updatedReplicas"))
    return (
        f"{_number(status, 'updatedReplicas')} of {_number(spec, 'replicas', 1)} replicas updated, "
        f"{_number(status, 'availableReplicas')} available, {outdated} old"
    )


def images_of(workload: Json, repositories: set[str]) -> Iterator[PodImage]:
    """The images in a workload's template whose repositories are the release's."""
    for written in images.written_in(mapping(workload, "spec")):
        image = PodImage(pod="", container="", written=written)
        if full_name(image.repository) in repositories:
            yield image


def _name(workload: Json) -> str:
    return f"{workload['kind']}/{text(mapping(workload, 'metadata'), 'name')}"


def _number(document: Json, key: str, default: int = 0) -> int:
    value = document.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
