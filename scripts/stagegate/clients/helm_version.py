"""Remembers the version of a helm program, because `helm version` takes as long as a rendering.

Kept beside the libraries, by everything that tells one file from another. A script in helm's place is asked every
time: it may start another helm in every folder.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from stagegate.libraries import NoLibraries, cache_root

_NATIVE = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # programs of Linux and macOS


def remembered(program: str) -> str:
    """The remembered version of exactly this file; empty if there is none, or that is uncertain."""
    with suppress(OSError, UnicodeDecodeError, NoLibraries):
        place = _place(program)
        return place.read_text(encoding="utf-8") if place else ""
    return ""


def remember(program: str, version: str) -> None:
    """Keep the version for later steps and runs."""
    with suppress(OSError, NoLibraries):
        if place := _place(program):
            place.write_text(version, encoding="utf-8")


def _place(program: str) -> Path | None:
    real = Path(program).resolve()
    with real.open("rb") as file:
        native = file.read(4) in _NATIVE
    if not native or not real.name.startswith("helm"):
        return None
    about = real.stat()
    identity = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
    return Path(cache_root(os.environ)) / f"helm-{'-'.join(map(str, identity))}"
