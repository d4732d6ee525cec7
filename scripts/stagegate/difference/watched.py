"""What of an environment differs between two commits, whether or not it can be rendered."""

from __future__ import annotations

from collections.abc import Iterable

from stagegate.difference import roots, unpinned_documents
from stagegate.difference.side import Side
from stagegate.pins import changes, pinned_version
from stagegate.pins.changes import Changed


def changed(old: Side, new: Side) -> Changed:
    """Everything that two sides of an environment have unlike."""
    files, besides = changes.of_pins(
        new.settings, new.environment.name, old.files.contents, new.files.contents
    )
    differing = paths(old, new)
    if not differing:
        return Changed(files=files, besides=besides, hidden=_hidden(besides, new, frozenset()))
    named = [side.named() for side in (old, new)]
    pin_files = set(pinned_version.pin_files(new.settings))
    values = frozenset(path for path in differing if any(one.holds(path) for _, one in named))
    content = tuple(
        path
        for path in differing
        if path not in pin_files and path not in values and any(one.holds(path) for one, _ in named)
    )
    return Changed(
        files=files,
        besides=besides,
        hidden=(*_hidden(besides, new, values), *_submodules(old, new, (*values, *content))),
        values=tuple(sorted(path for path in values if path not in files)),
        content=content,
        beside=unpinned_documents.documents(
            old, new, [one for one in differing if one not in {*pin_files, *values, *content}]
        ),
    )


def paths(old: Side, new: Side) -> tuple[str, ...]:
    """Files of the pins repository that two sides do not have alike."""
    if old.files.at == new.files.at and old.files.contents == new.files.contents:
        return ()
    before, after = old.tree.entries, new.tree.entries
    return tuple(path for path in sorted({*before, *after}) if before.get(path) != after.get(path))


def _submodules(old: Side, new: Side, paths: Iterable[str]) -> tuple[str, ...]:
    """Submodules among these paths: what is in them is in another repository, and Argo CD checks it out."""
    entries = [side.tree.entries for side in (old, new)]
    return tuple(path for path in paths if any(path in one and one[path].submodule for one in entries))


def _hidden(besides: tuple[str, ...], new: Side, values: frozenset[str]) -> tuple[str, ...]:
    """Pin files that change in more than the release and that nothing rendered shows."""
    shown = {
        root.file
        for root in new.roots()
        if root.kind in ("application", "set") or roots.is_kustomization(root)
    }
    return tuple(file for file in besides if file not in values and file not in shown)
