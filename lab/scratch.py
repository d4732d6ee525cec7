"""The folder for files of tests: in memory where the machine has room, because a disk is ten times slower."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - the folder inside it is named after the user and is closed to others
ROOM = 6 << 30  # the suite writes a tenth of it


def in_memory() -> str | None:
    """A folder in memory for this user's tests; None where TMPDIR is set or memory cannot be used for it."""
    if os.environ.get("TMPDIR") or not os.path.ismount(MEMORY):
        return None
    options = os.statvfs(MEMORY).f_flag
    if options & (os.ST_NOEXEC | os.ST_RDONLY) or shutil.disk_usage(MEMORY).free < ROOM:
        return None
    folder = MEMORY / f"stagegate-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return None
    mine = status.st_uid == os.getuid() and not folder.is_symlink() and not status.st_mode & 0o077
    return str(folder) if mine else None
