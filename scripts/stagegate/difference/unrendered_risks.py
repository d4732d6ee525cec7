"""Risks and notes about the parts of a change that are not rendered or belong to no release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stagegate.difference import Difference
from stagegate.difference.change import RiskSeen
from stagegate.difference.deployed import Piece, Pieces
from stagegate.difference.risks import Risk
from stagegate.pins.changes import Changed


def of_sources(old: Pieces, new: Pieces, changed: Changed) -> Iterator[RiskSeen]:
    """A risk for each source that changes and that is not rendered on a side, and for each such file."""
    for key in dict.fromkeys((*old, *new)):
        pieces = [piece for piece in (old.get(key), new.get(key)) if piece is not None]
        if all(piece.rendered for piece in pieces):
            continue
        reason = next(note(piece) for piece in pieces if not piece.rendered)
        name = f"Application/{key[0]}"
        differs = len(pieces) < 2 or pieces[0].source != pieces[1].source
        if differs and (changed.besides or not pieces[0].own):
            yield RiskSeen(
                kind="not-rendered",
                object=name,
                detail=f"changes, and its effect on the cluster is not rendered: {reason}",
            )
        for path in (*changed.values, *changed.content):
            if any(piece.files.holds(path) for piece in pieces):
                yield RiskSeen(
                    kind="not-rendered",
                    object=path,
                    detail=f"changes, and its effect on the cluster is not rendered: {reason}",
                )


def sentences(old: Pieces, new: Pieces) -> Iterator[str]:
    """A sentence about each source that is not part of what is compared, and why."""
    reasons = {key: note(piece) for side in (old, new) for key, piece in side.items() if not piece.rendered}
    for (name, index), why in reasons.items():
        source = f", source {index + 1}" if index >= 0 else ""
        yield f"Not rendered: {name}{source}: {why}."


def moving(difference: Difference, old: Pieces, new: Pieces, content: Iterable[str]) -> Iterator[RiskSeen]:
    """A risk for each file of manifests that changes what is deployed, and that no release brought."""
    if difference.empty:
        return
    for path in content:
        for piece in (*old.values(), *new.values()):
            if piece.rendered and piece.files.holds(path):
                detail = (
                    "changes what is deployed, but no gate has tested the change, because it comes "
                    "from a branch"
                )
                yield RiskSeen(kind="moving", object=path, detail=detail)
                break


def beside(changed: Changed) -> tuple[RiskSeen, ...]:
    """A risk for each file beside the pins that names what the environment runs."""
    return tuple(
        RiskSeen(
            kind="not-rendered",
            object=path,
            detail=f"{why}; the Application contains no pin, so no rule checks what it deploys",
        )
        for path, why in changed.beside.items()
    )


def unseen(paths: Iterable[str]) -> tuple[RiskSeen, ...]:
    """A risk for each changed file whose effect is unknown."""
    return tuple(
        RiskSeen(
            kind="not-rendered", object=path, detail="changes, and its effect on the cluster is not rendered"
        )
        for path in paths
    )


def note(piece: Piece) -> str:
    return piece.note or (f"{piece.stop.what} {piece.stop.why}" if piece.stop else "")


def seen(risk: Risk) -> RiskSeen:
    return RiskSeen(kind=risk.kind, object=risk.object, detail=risk.detail)


def once(risks: Iterable[RiskSeen]) -> tuple[RiskSeen, ...]:
    """Each class once for an object, the first sentence about it kept."""
    distinct: dict[tuple[str, str, str], RiskSeen] = {}
    for risk in risks:
        detail = "" if risk.kind == "not-rendered" and "/" in risk.object else risk.detail
        distinct.setdefault((risk.kind, risk.object, detail), risk)
    return tuple(distinct.values())
