"""What must be certain before a change of the pins is judged: plain files that everybody reads alike."""

from __future__ import annotations

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.pins import strict
from stagegate.pins.tree import PinsTree

_PLAIN = ("", "100644", "100755")


def one_reading(pins: hub.Hub, old: PinsTree, new: PinsTree) -> None:
    """Stop(ambiguous-pin) where a pin's file is no plain file, or one that changes could be read in two ways."""
    paths = sorted(new.contents)
    for path, mode in (pins.modes(new.at, paths) if paths else {}).items():
        if mode not in _PLAIN:
            raise Stop(
                "ambiguous-pin",
                f"{path} is no plain file: Git's mode is {mode}.",
                "A link or a submodule has other content where Argo CD checks it out than its own bytes say.",
                "Keep pins in plain files.",
                file=path,
            )
    for path, content in new.contents.items():
        if content is not None and content != old.contents.get(path) and path.endswith((".yaml", ".yml")):
            strict.check(content, path)
