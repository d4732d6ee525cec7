"""Both sides of a change rendered as Argo CD would, their difference, and the images the environment would run."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

import msgspec

from stagegate import difference as differences
from stagegate.chart.objects import RenderedObject
from stagegate.clients.connections import Connections
from stagegate.difference import Difference, hook_jobs, own_documents, own_fields, unrendered_risks, unsteady
from stagegate.difference import images as images_seen
from stagegate.difference.change import RenderedChange, RenderFacts, RiskSeen
from stagegate.difference.deployed import Piece, Pieces
from stagegate.difference.known_values import secrets_of
from stagegate.difference.side import Side
from stagegate.errors import Stop
from stagegate.pins.changes import Changed
from stagegate.pins.tree import PinsTree

_RELEASE_ONLY = Changed()
Change = TypeVar("Change", bound=RenderedChange)


class _Trouble(Exception):
    """The change cannot be compared; the message names the reason."""


def sides(
    connections: Connections, facts: RenderFacts, environment: str, before: PinsTree, after: PinsTree
) -> tuple[Side, Side]:
    """Both sides of an environment's change, nothing rendered yet."""
    policy = facts.policy_of(environment)
    return (
        Side(connections, facts.settings, facts.base, policy, before),
        Side(connections, facts.settings, facts.base, policy, after),
    )


def compared(
    connections: Connections,
    facts: RenderFacts,
    subject: Change,
    both: tuple[Side, Side],
    changed: Changed = _RELEASE_ONLY,
) -> tuple[Change, Difference | None]:
    """The subject with images and risks of what would be rendered, and the difference for people.

    What cannot be rendered is said, and is a risk where more than the release changes (`changed`); what fails to
    render is trouble, never "no risk".
    """
    subject = msgspec.structs.replace(subject, besides=changed.more)
    before, after = both
    try:
        before.roots(strict=True), after.roots(strict=True)
        renamed = own_fields.renamed(before, after)
        old = _under(before.pieces(), renamed)
        new = dict(after.pieces())
        _refuse_worse(old, new)
        objects = [
            (*_objects(pieces, names), *side.objects())
            for pieces, side, names in ((old, before, renamed), (new, after, {}))
        ]
    except _Trouble as trouble:
        return msgspec.structs.replace(subject, render_trouble=str(trouble)), None
    except Stop as stop:
        return _troubled(subject, stop)
    rendered = [piece for piece in (*old.values(), *new.values()) if piece.rendered]
    unrendered = tuple(unrendered_risks.of_sources(old, new, changed))
    if not rendered:
        note = next(
            (unrendered_risks.note(piece) for piece in (*old.values(), *new.values())),
            "no object is deployed",
        )
        risks = (*unrendered_risks.beside(changed), *unrendered_risks.unseen(changed.more), *unrendered)
        return msgspec.structs.replace(subject, render_note=note, risks=unrendered_risks.once(risks)), None
    salt = secrets.token_bytes(16)
    difference = differences.compare(objects[0], objects[1], salt)
    own = list(
        own_fields.with_bodies(
            own_fields.changes(before, after, renamed), after, salt, secrets_of(objects[1])
        )
    )
    difference = msgspec.structs.replace(difference, changes=(*own, *difference.changes))
    difference = msgspec.structs.replace(difference, first_party=facts.settings.images)
    notes = (
        *difference.notes,
        *unrendered_risks.sentences(old, new),
        *own_fields.of_nobody(before, after),
        *hook_jobs.followers(difference),
    )
    difference = msgspec.structs.replace(difference, notes=notes)
    difference = unsteady.noted(difference, after, objects[1])
    risks = (
        *map(unrendered_risks.seen, (*differences.risks(difference), *own_fields.risks(own))),
        *map(unrendered_risks.seen, own_fields.source_risks(before, after, renamed)),
        *map(unrendered_risks.seen, own_documents.risks(before, after)),
        *unrendered,
        *unrendered_risks.beside(changed),
        *unrendered_risks.unseen(changed.hidden),
        *unrendered_risks.moving(difference, old, new, changed.content),
    )
    for gone, came in images_seen.replaced(difference, facts.settings.images):
        detail = f"runs {came} instead of {gone}"
        risks = (*risks, RiskSeen(kind="image-replaced", object=gone, detail=detail))
    risks = unrendered_risks.once(risks)
    has_kustomization = any(piece.kind == "kustomization" for piece in rendered)
    return msgspec.structs.replace(
        subject,
        rendered=True,
        risks=risks,
        carried=tuple(sorted({risk.kind for risk in risks})) if has_kustomization else (),
        images=images_seen.seen(connections.registry, objects[1], facts.settings),
        irreversible=differences.irreversible(difference),
    ), difference


def remembered(subject: Change, recorded: Collection[str]) -> Change:
    """The subject with the classes of risk that were seen when its commit was made, where it could be rendered."""
    recorded_risks = tuple(
        RiskSeen(kind=kind, object=subject.environment, detail="was seen when the promotion was proposed")
        for kind in sorted(set(recorded) - {risk.kind for risk in subject.risks})
    )
    return msgspec.structs.replace(
        subject, risks=(*subject.risks, *recorded_risks), carried=tuple(sorted(recorded))
    )


def _under(pieces: Pieces, renamed: Mapping[str, str]) -> dict[tuple[str, int], Piece]:
    """The pieces of a side under the names that the other side has for their Applications."""
    return {(renamed.get(name, name), index): piece for (name, index), piece in pieces.items()}


def _refuse_worse(old: Pieces, new: Pieces) -> None:
    """Stop or _Trouble where something fails, or where what could be seen before would hide itself."""
    for piece in (*old.values(), *new.values()):
        if piece.stop is not None and piece.own and piece.kind != "git" and piece.kind != "kustomization":
            raise piece.stop
    for key, piece in new.items():
        previous = old.get(key)
        if piece.stop is not None and (previous.rendered if previous else piece.own):
            raise piece.stop
        if piece.note and previous is not None and previous.rendered:
            raise _Trouble(f"after the change, nothing can be rendered: {piece.note}")


def _objects(pieces: Pieces, renamed: Mapping[str, str]) -> Iterator[RenderedObject]:
    for piece in pieces.values():
        name = renamed.get(piece.application, piece.application)
        yield from (msgspec.structs.replace(one, application=name) for one in piece.objects)


def _troubled(subject: Change, stop: Stop) -> tuple[Change, None]:
    """The subject with why nothing could be rendered; what only a person can set right ends the run."""
    if stop.reason in ("missing-tool", "missing-permission", "wrong-source"):
        raise stop
    return msgspec.structs.replace(subject, render_trouble=f"{stop.what} {stop.why}"), None
