"""The objects of a difference as folds of Markdown, one for each, so that a reviewer opens what matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import yaml

from stagegate import markdown
from stagegate.difference import Difference, FieldChange, ObjectChange, kinds, object_order, texts
from stagegate.difference.change import RiskSeen
from stagegate.difference.values import Body as ObjectBody
from stagegate.report.render import render

_ROWS = 50
_LONG = 160
_BODY_LINES = 200
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the faster one where PyYAML was built with it


def of(difference: Difference, risks: Sequence[RiskSeen] = ()) -> Iterator[str]:
    """One fold for each object, those of one Application together under its name where there are several.

    `difference.object_order` decides which comes first in each.
    """
    changes = object_order.risky_first(difference.changes, risks)
    names = dict.fromkeys(one.application for one in changes)
    for name in names:
        heading = f"\n#### {markdown.cell(name)}\n" if name and len(names) > 1 else ""
        for one in changes:
            if one.application == name:
                yield heading + _fold(one)
                heading = ""


def _fold(one: ObjectChange) -> str:
    """One object's changes, folded."""
    rows = [_row(field) for field in one.fields[:_ROWS]]
    return render(
        "proposal_object.md.j2",
        one=one,
        rows=rows,
        more=len(one.fields) - len(rows),
        manifest=manifest(one.after) if one.change == "added" and not one.was else "",
        kept=kinds.keeps(one.before),
    )


def yaml_lines(body: ObjectBody | None) -> list[str]:
    """The lines of an object's redacted body as YAML; none without one."""
    if body is None:
        return []
    text = yaml.dump(
        msgspec.to_builtins(_plain(body)), Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=120
    )
    return str(text).splitlines()


def manifest(body: ObjectBody | None) -> str:
    """An object's redacted body as YAML, the beginning of a long one."""
    lines = [line[: 2 * _LONG] for line in yaml_lines(body)]
    more = len(lines) - _BODY_LINES
    return "\n".join([*lines[:_BODY_LINES], *([f"# and {more} more lines"] if more > 0 else [])])


def _plain(value: object) -> object:
    """A body without the marks that stand beside structured text."""
    if isinstance(value, Mapping):
        if set(value) == {"(text)", ""}:
            return _plain(value[""])
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _row(field: FieldChange) -> dict[str, object]:
    """A field as a table row, or as lines where one of its values is a text."""
    is_text = bool(field.diff) or any("\n" in (value or "") for value in (field.before, field.after))
    before, after = texts.around(field.before, field.after)
    return {"path": field.path, "is_text": is_text, "diff": _diff(field), "before": before, "after": after}


def _diff(field: FieldChange) -> str:
    if field.diff:
        return "\n".join(line[: 2 * _LONG] for line in field.diff.splitlines())
    old, new = ((side or "").splitlines() for side in (field.before, field.after))
    return "\n".join([*(f"-{line}"[:_LONG] for line in old), *(f"+{line}"[:_LONG] for line in new)])
