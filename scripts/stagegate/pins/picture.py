"""Shows an edit of pins, for a terminal and for a pull request."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from itertools import pairwise

CONTEXT = 2  # lines around a change


def unified(path: str, before: bytes, after: bytes) -> str:
    """A unified diff with two lines of context; an edit keeps the number of lines, so no search is needed."""
    old, new = (raw.decode("utf-8", "replace").splitlines(keepends=True) for raw in (before, after))
    if len(old) != len(new):
        return "".join(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", n=CONTEXT))
    changed = [number for number, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
    lines = [f"--- a/{path}\n", f"+++ b/{path}\n"] if changed else []
    while changed:
        last = next(
            (a for a, b in pairwise([*changed, len(old) + 9 * CONTEXT]) if b - a > 2 * CONTEXT + 1),
            changed[-1],
        )
        start, end = max(changed[0] - CONTEXT, 0), min(last + CONTEXT + 1, len(old))
        lines.append(f"@@ -{start + 1},{end - start} +{start + 1},{end - start} @@\n")
        number = start
        while number < end:
            run = number
            while run < end and old[run] != new[run]:
                run += 1
            if run > number:
                lines += [f"-{line}" for line in old[number:run]] + [f"+{line}" for line in new[number:run]]
                number = run
            else:
                lines.append(f" {old[number]}")
                number += 1
        changed = [n for n in changed if n > last]
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def of_files(before: Mapping[str, bytes | None], after: Mapping[str, bytes]) -> str:
    """The differences of all files that an edit changes."""
    return "".join(unified(path, before.get(path) or b"", content) for path, content in after.items())
