"""Compares Argo CD's objects with our render of the chart's digest.

A version can be overwritten, a digest cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from stagegate.argocd_app import hooks
from stagegate.argocd_app.json_fields import mapping, text
from stagegate.argocd_app.status import read
from stagegate.errors import Stop
from stagegate.gate import content, images
from stagegate.gate.following import Source
from stagegate.gate.order import Rollout
from stagegate.model import Check, digest_of
from stagegate.runner import log

Json = dict[str, Any]
# Functions whose result depends on the cluster, the time or chance, so that a difference proves nothing.
UNSTEADY = (
    ".Capabilities", "lookup", "randAlpha", "randNumeric", "randAscii", "randBytes", "genCA", "genSelfSigned",
    "genSignedCert", "genPrivateKey", "uuidv4", "now", "htpasswd", "bcrypt", "getHostByName", "derivePassword",
)  # fmt: skip


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """Our render of an Application: its objects, and the first unsteady function in its chart (empty: none)."""

    objects: tuple[Json, ...]
    unsteady: str = ""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """The content check, the digest of the rendered objects, and the images that these name.

    A check that is `unknown` is not required, and its detail says why nothing could be compared.
    """

    check: Check
    configuration: str = ""
    images: tuple[str, ...] = ()


def not_comparable(why: str) -> Compared:
    """The result when nothing was compared, with the reason (I3)."""
    log.say(f"the content in the cluster cannot be compared with the release: {why}")
    return Compared(check=Check(name="content", outcome="unknown", required=False, detail=why))


def compare(
    source: Source, rollout: Rollout, render: Callable[[Json], Rendering], namespace: Callable[[Json], str]
) -> Compared:
    """Compare every Application that was waited for with what Argo CD compared the cluster with."""
    rendered: list[Json] = []
    wrong: list[str] = []
    for application, document in zip(rollout.seen, rollout.documents, strict=True):
        try:
            rendering = render(document)
            argocd_objects = target_objects(source, application.name, document)
        except Stop as trouble:
            return not_comparable(f"{trouble.what} {trouble.why}")
        differences = content.differences(argocd_objects, rendering.objects, namespace(document))
        if differences and rendering.unsteady:
            return not_comparable(
                f"the chart of {application.name} uses {rendering.unsteady}, so two renderings may differ"
            )
        if differences and _moved(source, application.name, document):
            return not_comparable(f"in the meantime, Argo CD compared {application.name} with newer values")
        rendered += rendering.objects
        wrong += [f"{application.name}: {difference}" for difference in differences]
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    good = f"{len(rendered)} objects are equal to those that the chart with the recorded digest renders"
    return Compared(
        check=Check(
            name="content",
            outcome="failed" if wrong else "passed",
            detail="; ".join(wrong[:3]) + more if wrong else good,
        ),
        configuration=configuration(rendered),
        images=tuple(dict.fromkeys(images.written_in(rendered))),
    )


def target_objects(source: Source, name: str, document: Json) -> list[Json]:
    """What Argo CD compared the cluster with: the target states of its managed resources, and from the manifests
    of the same revisions the hooks and tests, which it does not manage.

    All of the manifests where a server or token gives no managed resources.
    """
    manifests = source.manifests(name, document)
    try:
        managed = source.managed_resources(name)
    except Stop as trouble:
        log.debug(f"the managed resources of {name} cannot be read: {trouble.what}")
        return manifests
    return [*managed, *(item for item in manifests if is_hook(item))]


def is_hook(item: Json) -> bool:
    """Whether Argo CD runs an object as a hook or ignores it, instead of managing it."""
    annotations = mapping(mapping(item, "metadata"), "annotations")
    helm = text(annotations, hooks.HELM)
    return bool(text(annotations, hooks.ARGO)) or helm not in ("", "crd-install")


def configuration(objects: Sequence[Json]) -> str:
    """Digest of rendered objects in any order; of Secrets it includes only digests."""
    return digest_of(sorted(digest_of(item) for item in objects))


def unsteady(files: dict[str, bytes]) -> str:
    """The first unsteady function that a chart's templates use, or nothing."""
    for path, template in sorted(files.items()):
        if "/templates/" in path or path.startswith("templates/"):
            function = next((word for word in UNSTEADY if _uses(template, word)), "")
            if function:
                return function
    return ""


def _uses(template: bytes, word: str) -> bool:
    """Whether a template action contains the word; `now` inside `known` does not count."""
    for part in template.decode("utf-8", "replace").split("{{")[1:]:
        action = part.split("}}", 1)[0]
        padded = f" {action.replace('(', ' ').replace(')', ' ').replace('|', ' ')} "
        if word in action if word.startswith(".") or word[:3] in ("ran", "gen") else f" {word} " in padded:
            return True
    return False


def _moved(source: Source, name: str, document: Json) -> bool:
    try:
        return read(source.application(name)).revisions != read(document).revisions
    except Stop:
        return True
