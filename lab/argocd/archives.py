"""Unpacks archives that may not write outside, on every Python 3.10+ (the filter came in patch releases)."""

from __future__ import annotations

import copy
import tarfile
from pathlib import Path


class Unsafe(Exception):
    """A member that would lead outside the folder, or is no file, folder or inner link."""


def extract_all(archive: tarfile.TarFile, root: Path) -> None:
    """Unpack every member below `root`. Unsafe at the first forbidden one."""
    for member in archive:
        extract(archive, member, root)


def extract(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    """Unpack one member below `root`. Unsafe when it is forbidden."""
    if hasattr(tarfile, "data_filter"):
        try:
            archive.extract(member, root, filter="data")
        except tarfile.FilterError as error:
            raise Unsafe(member.name) from error
        return
    member = copy.copy(member)
    member.name = member.name.lstrip(
        "/"
    )  # as the filter does; otherwise the path itself would win over `root`
    target = root / member.name
    aim = (target.parent if member.issym() else root) / member.linkname
    home = root.resolve()
    leaves = [
        path
        for path in (target, *([aim] if member.islnk() or member.issym() else []))
        if not _below(path, home)
    ]
    if leaves or not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise Unsafe(member.name)
    archive.extract(member, root)


def _below(path: Path, home: Path) -> bool:
    return path.resolve().is_relative_to(home)
