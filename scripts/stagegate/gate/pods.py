"""Read the pods of an Application and what their images are, as far as the token may."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.gate import content
from stagegate.gate.following import Source
from stagegate.gate.plan import Failed, Judgement, Ready, Waiting
from stagegate.model import Image
from stagegate.runner import log

Relatives = Callable[[str, str], bool]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about the images of one look: digests proven, and what could only be told by tag."""

    proven: tuple[str, ...] = ()
    by_tag: tuple[str, ...] = ()
    judgement: Judgement = Ready()


def look(
    source: Source, name: str, images: Sequence[Image], tags: Sequence[str], relatives: Relatives
) -> Proof:
    """One look at the pods of an Application. Without the right to see live pods, images count by tag."""
    found = content.judge_images(_pods(source, name), images, tags, relatives)
    if found.wrong:
        return Proof(judgement=Failed(reason="other-software", detail="; ".join(found.wrong[:3])))
    if found.old:
        return Proof(judgement=Waiting(reason="old-pods", detail="; ".join(found.old[:3])))
    return Proof(proven=found.proven, by_tag=found.by_tag)


def _pods(source: Source, name: str) -> list[content.PodImage]:
    try:
        nodes = list(content.of_tree(source.tree(name)))
    except Stop as trouble:
        if trouble.reason != "missing-permission":
            raise
        log.debug(f"the resource tree of {name} may not be read: {trouble.why}")
        return []
    found: list[content.PodImage] = []
    live = True
    for node in nodes:
        document = {}
        if live:
            try:
                document = source.resource(name, node)
            except Stop as trouble:
                if trouble.reason == "missing-permission":
                    live = False  # the same answer for every pod
                elif trouble.reason not in ("bad-settings", "unknown-state"):
                    raise
                else:
                    continue  # the pod went away between tree and look
        found += content.of_pod(document, node)
    return found


def family(registry: Registry, images: Sequence[Image]) -> Relatives:
    """Whether a running digest is an image's recorded one, in its index, or an index that holds it.

    Registry answers are kept: a digest never changes what it holds.
    """
    recorded = {image.reference: image.digest for image in images}
    known: dict[tuple[str, str], frozenset[str]] = {}

    def children(reference: str, digest: str) -> frozenset[str]:
        if (reference, digest) not in known:
            place = f"{reference}@{digest}"
            try:
                there = registry.digest(place) is not None
                known[reference, digest] = registry.children(place) if there else frozenset()
            except Stop as trouble:
                if trouble.reason != "wrong-source":
                    raise
                known[reference, digest] = frozenset()  # not ours, and nobody may ask there
        return known[reference, digest]

    def related(reference: str, running: str) -> bool:
        wanted = recorded[reference]
        if running == wanted:
            return True
        return running in children(reference, wanted) or wanted in children(reference, running)

    return related
