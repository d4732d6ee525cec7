"""Reads the pods of an Application and their images, as far as the token may."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.gate import images as pod_images
from stagegate.gate.following import PodReader
from stagegate.gate.order import StuckPod
from stagegate.gate.plan import Failed, Judgement, Ready, Waiting
from stagegate.model import Image
from stagegate.runner import log

Relatives = Callable[[str, str], bool]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about the images of one look: digests proven and how those images are written, what could
    only be told by tag, and what carries the release's tag without being part of it."""

    proven: tuple[str, ...] = ()
    recognised: tuple[str, ...] = ()
    by_tag: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    judgement: Judgement = Ready()


def look(
    source: PodReader, name: str, images: Sequence[Image], tags: Sequence[str], relatives: Relatives
) -> Proof:
    """The images of an Application's pods. Without permission to read live pods, they are compared by tag."""
    judged = pod_images.judge_images(_pods(source, name), images, tags, relatives)
    if judged.wrong:
        return Proof(judgement=Failed(reason="other-software", detail="; ".join(judged.wrong[:3])))
    if judged.old:
        return Proof(judgement=Waiting(reason="old-pods", detail="; ".join(judged.old[:3])))
    return Proof(
        proven=judged.proven, recognised=judged.recognised, by_tag=judged.by_tag, untested=judged.untested
    )


def stuck(source: PodReader, name: str, images: Sequence[Image], tags: Sequence[str]) -> StuckPod:
    """A pod of the release that does not start. Without the permission to read the tree there is none."""
    try:
        return pod_images.stuck_pod(source.tree(name), images, tags)
    except Stop as trouble:
        if trouble.reason != "missing-permission":
            raise
        return StuckPod()


def _pods(source: PodReader, name: str) -> list[pod_images.PodImage]:
    try:
        nodes = list(pod_images.of_tree(source.tree(name)))
    except Stop as trouble:
        if trouble.reason != "missing-permission":
            raise
        log.debug(f"the token may not read the resource tree of {name}: {trouble.why}")
        return []
    pods: list[pod_images.PodImage] = []
    live = True
    for node in nodes:
        document = {}
        if live:
            try:
                document = source.resource(name, node)
            except Stop as trouble:
                if trouble.reason == "missing-permission":
                    live = False  # the same response for every pod
                elif trouble.reason not in ("bad-settings", "unknown-state"):
                    raise
                else:
                    continue  # the pod was deleted after the tree was read
        pods += pod_images.of_pod(document, node)
    return pods


def family(registry: Registry, images: Sequence[Image]) -> Relatives:
    """Whether a running digest is an image's recorded one, in its index, an index that holds it, or an image id.

    A runtime that has an image without its repository gives its id, which is the digest of its configuration.
    Registry answers are kept: a digest never changes what it holds.
    """
    recorded = {image.reference: image.digest for image in images}

    def platforms(reference: str, digest: str) -> frozenset[str]:
        place = f"{reference}@{digest}"
        return registry.children(place) if registry.digest(place) is not None else frozenset()

    def ids(reference: str, digest: str) -> frozenset[str]:
        manifests = (digest, *sorted(ask_platforms(reference, digest)))
        return frozenset(registry.config_digest(f"{reference}@{digest}") for digest in manifests)

    ask_platforms, ask_ids = _kept(platforms), _kept(ids)

    def related(reference: str, running: str) -> bool:
        recorded_digest = recorded[reference]
        return (
            running == recorded_digest
            or running in ask_platforms(reference, recorded_digest)
            or recorded_digest in ask_platforms(reference, running)
            or running in ask_ids(reference, recorded_digest)
        )

    return related


def _kept(ask: Callable[[str, str], frozenset[str]]) -> Callable[[str, str], frozenset[str]]:
    """The same question, asked once for each digest. What is not ours, and nobody may ask for, has nothing."""
    responses: dict[tuple[str, str], frozenset[str]] = {}

    def cached(reference: str, digest: str) -> frozenset[str]:
        if (reference, digest) not in responses:
            try:
                responses[reference, digest] = ask(reference, digest)
            except Stop as trouble:
                if trouble.reason != "wrong-source":
                    raise
                responses[reference, digest] = frozenset()
        return responses[reference, digest]

    return cached
