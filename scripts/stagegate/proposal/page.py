"""The complete difference as one HTML page: an artifact of the run, where a pull request's body ends too early."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

import msgspec

from stagegate.difference import ObjectChange
from stagegate.proposal import body, body_objects
from stagegate.proposal.body_values import BodyFacts
from stagegate.report.render import render_html

_CONTEXT = 3


class DifferenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a difference: `kind` is added, removed, same or place (where in the object it stands)."""

    kind: str
    text: str


def page(parts: Sequence[BodyFacts], run_url: str) -> str:
    """One self-contained document with the difference of each environment; foreign text in it is inert."""
    return render_html(
        "difference.html.j2",
        parts=[
            (body.title(part.app, part.environment, part.before, part.after, part.kind), part)
            for part in parts
        ],
        lines=lines,
        run_url=run_url if run_url.startswith(("https://", "http://")) else "",
    )


def lines(one: ObjectChange) -> Iterator[DifferenceLine]:
    """The redacted manifests of both sides of an object, as a difference with a few lines around."""
    before, after = body_objects.yaml_lines(one.before), body_objects.yaml_lines(one.after)
    if one.before is None or one.after is None:
        for text in before or after:
            yield DifferenceLine(kind="removed" if one.after is None else "added", text=text)
        return
    for text in list(difflib.unified_diff(before, after, n=_CONTEXT, lineterm=""))[2:]:
        kind = {"+": "added", "-": "removed", "@": "place"}.get(text[:1], "same")
        yield DifferenceLine(kind=kind, text=text if kind == "place" else text[1:])
