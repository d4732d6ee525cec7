"""Does Argo CD hold what the chart's digest renders to? A version can be overwritten; a digest cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from stagegate.argocd_app.status import read
from stagegate.errors import Stop
from stagegate.gate import content
from stagegate.gate.following import Source
from stagegate.gate.rollout import Rollout
from stagegate.model import Check, digest_of
from stagegate.runner import log

Json = dict[str, Any]
# Functions whose result depends on the cluster, the moment or chance: a difference then proves nothing.
UNSTEADY = (
    ".Capabilities", "lookup", "randAlpha", "randNumeric", "randAscii", "randBytes", "genCA", "genSelfSigned",
    "genSignedCert", "genPrivateKey", "uuidv4", "now", "htpasswd", "bcrypt", "getHostByName", "derivePassword",
)  # fmt: skip


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """Our render of an Application: its objects, and the first unsteady function its chart uses, or nothing."""

    objects: tuple[Json, ...]
    unsteady: str = ""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """The content check (None: not comparable), why not, and the digest of the rendered objects."""

    check: Check | None = None
    why: str = ""
    configuration: str = ""


def compare(
    source: Source, found: Rollout, render: Callable[[Json], Rendering], namespace: Callable[[Json], str]
) -> Compared:
    """Compare every Application that was waited for. What cannot be compared is said, never "compared"."""
    ours: list[Json] = []
    wrong: list[str] = []
    for document in found.documents:
        name = str((document.get("metadata") or {}).get("name", ""))
        try:
            rendering = render(document)
            theirs = source.manifests(name)
        except Stop as trouble:
            return _not(f"{trouble.what} {trouble.why}")
        differences = content.differences(theirs, rendering.objects, namespace(document))
        if differences and rendering.unsteady:
            return _not(
                f"the chart of {name} uses {rendering.unsteady}, which may render otherwise each time"
            )
        if differences and _moved(source, name, document):
            return _not(f"{name} was compared against newer values meanwhile")
        ours += rendering.objects
        wrong += [f"{name}: {difference}" for difference in differences]
    digest = configuration(ours)
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        detail = "; ".join(wrong[:3]) + more
        return Compared(check=Check(name="content", outcome="failed", detail=detail), configuration=digest)
    detail = f"{len(ours)} objects are what the chart's digest renders to"
    return Compared(check=Check(name="content", outcome="passed", detail=detail), configuration=digest)


def configuration(objects: Sequence[Json]) -> str:
    """Digest of rendered objects, whatever their order; Secrets go in as digests of their own."""
    return digest_of(sorted(digest_of(item) for item in objects))


def unsteady(files: dict[str, bytes]) -> str:
    """The first unsteady function that a chart's templates use, or nothing."""
    for path, text in sorted(files.items()):
        if "/templates/" in path or path.startswith("templates/"):
            found = next((word for word in UNSTEADY if _uses(text, word)), "")
            if found:
                return found
    return ""


def _uses(text: bytes, word: str) -> bool:
    """Whether a template action has the word; `now` inside `known` is none."""
    for part in text.decode("utf-8", "replace").split("{{")[1:]:
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


def _not(why: str) -> Compared:
    log.say(f"content is not comparable: {why}")
    return Compared(why=why)
